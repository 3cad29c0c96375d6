"""moto without what makes it slow for thousands of tests, and its backends as one value that can be pickled."""

import copyreg
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from threading import RLock
from typing import Any
from unittest.mock import patch

from moto import mock_aws
from moto.backends import get_backend
from moto.core import models
from moto.core.base_backend import BackendDict
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

# A backend by its service, account and region.
type Held = Mapping[tuple[str, str, str], Any]

_transact_write_items = DynamoDBBackend.transact_write_items

# A queue has a lock; its copy has another.
copyreg.pickle(type(RLock()), lambda _: (RLock, ()))


@contextmanager
def quick_aws() -> Iterator[None]:
    """Be AWS, empty, for botocore alone: moto's thousands of mocks of `requests` take ten times as long to set up."""
    with (
        patch.object(models, "RESPONSES_METHODS", []),
        patch.object(DynamoDBBackend, "transact_write_items", _transact),
        mock_aws(),
    ):
        yield


def _transact(backend: DynamoDBBackend, items: list[dict[str, Any]]) -> None:
    """Do a transaction as moto does, which copies the whole table for each of its items, to undo it: one copy is enough."""

    @cache
    def copy(table: Table) -> Table:
        copied: Table = pickle.loads(pickle.dumps(table))  # noqa: S301 - what this process pickled
        return copied

    with patch.object(Table, "__deepcopy__", lambda table, _: copy(table), create=True):
        _transact_write_items(backend, items)


def held() -> Held:
    """Return every backend that is in use."""
    services = BackendDict._instances  # type: ignore[misc] # noqa: SLF001 - moto names them nowhere else
    return {
        (service.service_name, account, region): backend
        for service in services
        for account, region, backend in service.iter_backends()
    }


def put_back(backends: Held) -> None:
    """Make these the backends in use."""
    for (service, account, region), backend in backends.items():
        get_backend(service)[account][region] = backend  # type: ignore[call-overload] # it lists the services' names
