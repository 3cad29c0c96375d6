"""What AWS answers about events and their producers in a measurement without AWS."""

import json
import zlib
from typing import Any

from local.shop.samples import EVENT_ID, PRODUCER_ID, PRODUCER_KEY_ID, TRACE_ID, sample

type Json = dict[str, Any]

_FOREVER = 9_999_999_999
_AT = "2026-02-10T12:34:56.000Z"
_ENVELOPE = {
    "event_id": EVENT_ID,
    "event_type": "till.opened",
    "occurred_at": _AT,
    "trace_id": TRACE_ID,
    "identity": {"user_id": PRODUCER_ID, "roles": ["producer"]},
    "data": json.loads(sample("eventflow/accept_event")["body"])["payload"],
    "version": 1,
    "event_version": 1,
    "received_at": _AT,
}
EVENT = {
    "pk": f"EVENT#{EVENT_ID}",
    "sk": "EVENT",
    "outbox": zlib.compress(json.dumps([[f"eventflow.{PRODUCER_ID}", "till.opened", json.dumps(_ENVELOPE)]]).encode()),
    "expires_at": _FOREVER,
}
PRODUCER = {
    "pk": f"PRODUCER#{PRODUCER_ID}",
    "sk": "PRODUCER",
    "name": "Point of sale",
    "disabled": False,
    "created_at": _AT,
    "created_by": "admin-1",
    "listed": "PRODUCERS",
    "listed_as": f"{_AT}#{PRODUCER_ID}",
}
KEY = {
    "pk": f"KEY#{PRODUCER_KEY_ID}",
    "sk": "KEY",
    "kind": "api_key",
    "owner": PRODUCER_ID,
    "name": "first",
    "scopes": ["events:write"],
    "digest": b"0" * 32,
    "created_at": _AT,
    "created_by": "admin-1",
    "listed": f"KEYS#api_key#{PRODUCER_ID}",
    "listed_as": _AT,
}
