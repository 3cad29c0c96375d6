"""
AWS for thousands of tests: DynamoDB is the fault harness' (test_dynamodb.py holds it against moto), all else is moto.

moto's DynamoDB takes some milliseconds a call, and copies a table for each transaction.
"""

import base64
import copyreg
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import RLock
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from botocore.hooks import BaseEventHooks
from moto import mock_aws
from moto.backends import get_backend
from moto.core import models
from moto.core.base_backend import BackendDict
from moto.kms.utils import RSAPrivateKey

from tests import template
from tests.faults.dynamodb import DynamoDB, Refused
from tests.faults.expressions import Item

# A backend by its service, account and region.
type Held = Mapping[tuple[str, str, str], Any]

# A queue has a lock; its copy has another.
copyreg.pickle(type(RLock()), lambda _: (RLock, ()))
# moto gives every key of KMS one of RSA's too, which encrypting does not ask for: its copy has none.
copyreg.pickle(RSAPrivateKey, lambda _: (object, ()))  # type: ignore[arg-type, return-value]


@contextmanager
def quick_aws() -> Iterator[None]:
    """Be AWS, empty, for botocore alone: moto's thousands of mocks of `requests` take ten times as long to set up."""
    with patch.object(models, "RESPONSES_METHODS", []), mock_aws():
        yield


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


@dataclass(frozen=True, slots=True)
class _Response:
    """As much of an HTTP response as botocore asks for where it need not read one."""

    status_code: int


class Tables:
    """The stack's tables in memory, and what their streams have had, record by record as Lambda gets them."""

    def __init__(self) -> None:
        definitions = template.resources(template.TABLE)
        self.dynamodb = DynamoDB(definitions)
        self.dynamodb.on_change = self._note
        self._streams: dict[str, list[dict[str, Any]]] = {
            name: [] for name, each in definitions.items() if "StreamSpecification" in each
        }
        self._known: set[tuple[str, ...]] = set()
        self._is_aside = False

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every record, table by table."""
        return [json.loads(json.dumps(record)) for stream in self._streams.values() for record in stream]

    @contextmanager
    def serve(self, hooks: BaseEventHooks) -> Iterator[None]:
        """Answer the calls of the client that has these *hooks*."""
        # The stubs know handlers that answer nothing; what this one answers stands for the call.
        hooks.register("before-call.dynamodb", self._answer)  # type: ignore[arg-type]
        try:
            yield
        finally:
            hooks.unregister("before-call.dynamodb", self._answer)  # type: ignore[arg-type]

    def stand_aside(self) -> None:
        """Answer no more: whoever stands behind does."""
        self._is_aside = True

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[_Response, dict[str, Any]] | None:
        if self._is_aside:
            return None
        try:
            return _Response(200), _parsed(self.dynamodb.do(model.name, json.loads(params["body"])))
        except Refused as refused:
            body = _parsed(refused.body)
            error = {"Code": body.pop("__type"), "Message": body.pop("message")}
            return _Response(400), {"Error": error, "ResponseMetadata": {"HTTPStatusCode": 400}, **body}

    def _note(self, table: str, image: Item) -> None:
        if table not in self._streams:
            return
        keys = {name: image[name] for name in self.dynamodb.tables[table].key}
        key = (table, *(each["S"] for each in keys.values()))
        kind = "MODIFY" if key in self._known else "INSERT"
        self._known.add(key)
        change = {"Keys": keys, "NewImage": image, "SequenceNumber": str(len(self._streams[table]))}
        arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{table}/stream/1"
        record = {"eventID": str(uuid4()), "eventName": kind, "eventSource": "aws:dynamodb", "eventSourceARN": arn}
        self._streams[table].append(record | {"dynamodb": change})


def _parsed(value: Any) -> Any:
    """Return what botocore makes of an answer: its bytes, which JSON has as base64 text, as bytes."""
    match value:
        case {"B": str(text)} if len(value) == 1:
            return {"B": base64.b64decode(text)}
        case dict():
            return {name: _parsed(member) for name, member in value.items()}
        case list():
            return [_parsed(member) for member in value]
    return value
