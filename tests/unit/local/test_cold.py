import pytest

from local.bench import cold

TRACE = """\
import time:       100 |        100 | encodings
--- begin ---
import time: self [us] | cumulative | imported package
import time:     30000 |      30000 |     botocore.session
import time:     20000 |      20000 |   pydantic_core._pydantic_core
import time:     10000 |      60000 | create_order
import time:      5000 |       5000 | uuid
"""


def test_a_start_is_split_by_the_least_that_each_import_took_and_what_runs() -> None:
    parts = cold.shares_of(0.1, [TRACE.replace("30000", "70000"), TRACE], "create_order")

    assert parts == pytest.approx(
        {"botocore": 0.3, "pydantic": 0.2, "powertools": 0, "cryptography": 0, "tillflow": 0.1, "Python": 0.05, "running": 0.35}
    )
