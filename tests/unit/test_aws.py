from unittest.mock import patch

import pytest
from botocore.loaders import Loader

from tillflow import aws


@pytest.mark.usefixtures("world")
def test_a_client_is_made_without_the_partition_file() -> None:
    # docs/adr/0006: it is the largest part of making a client.
    aws.forget()
    with patch.object(Loader, "load_data_with_path", autospec=True, side_effect=Loader.load_data_with_path) as loaded:
        aws.client("dynamodb")
    aws.forget()

    names = [call.args[1] for call in loaded.call_args_list]
    assert names
    assert "endpoints" not in names
