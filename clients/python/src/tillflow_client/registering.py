"""Flows around a consumer's registration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid4, uuid5

from tillflow_client.errors import BadRequest, Conflict, NotFound
from tillflow_client.events import iso
from tillflow_client.retrying import Retry, Tries, ask, is_replay
from tillflow_client.wire import API, Flow, Request, encoded, post

# "latest", "earliest", or a moment.
Start = str | datetime

CONSUMERS = f"{API}/consumers"
_USABLE = ("ACTIVE", "PAUSED")
_USED_UP = ("ALREADY_REGISTERED", "IDEMPOTENCY_KEY_REUSED")
# More often than this, nobody deletes a consumer within the day that a key is remembered.
_GENERATIONS = 10
_PAGE = "100"
MANUAL = "manual"


def register(
    name: str, types: str | Sequence[str], start: Start, lease_seconds: int | None, retry: Retry
) -> Flow[dict[str, Any]]:
    """
    Return the consumer called *name*; one that is not there is made, one that differs in types, ack or lease is changed.

    Several processes may do so at once and will share the one consumer.
    """
    named = [types] if isinstance(types, str) else types
    wanted: dict[str, Any] = {"subscribed_event_types": list(dict.fromkeys(named)), "ack": MANUAL}
    if lease_seconds is not None:
        wanted["lease_seconds"] = lease_seconds
    there = (yield from _named(name, retry)) or (yield from _made(name, {"start": _text(start), **wanted}, retry))
    changes = {field: value for field, value in wanted.items() if _plain(there[field]) != _plain(value)}
    if not changes:
        return there
    patch = Request("PATCH", path_of(there["consumer_id"]), encoded(changes))
    return (yield from ask(patch, Tries(retry))).json()


def describe(consumer_id: str, retry: Retry) -> Flow[dict[str, Any]]:
    """Return what the server knows of the consumer, its backlog too."""
    return (yield from ask(Request("GET", path_of(consumer_id)), Tries(retry))).json()


def delete(consumer_id: str, retry: Retry) -> Flow[None]:
    """Delete the consumer, and all that waits for it; one that is gone is deleted."""
    with suppress(NotFound):
        yield from ask(Request("DELETE", path_of(consumer_id)), Tries(retry))


def known(consumer_id: str | None) -> str:
    """
    Return the consumer's id.

    Raises:
        ValueError: there is none yet.
    """
    if consumer_id is None:
        raise ValueError("which consumer? give its consumer_id, or call register")
    return consumer_id


def check(there: Mapping[str, Any]) -> None:
    """
    Look whether events of the consumer can be acknowledged one by one.

    Raises:
        ValueError: it acknowledges by fetching.
    """
    if there["ack"] != MANUAL:
        raise ValueError(f"consumer {there['name']} acknowledges by its next fetch: PATCH it to ack: {MANUAL}, or call register")


def path_of(consumer_id: str) -> str:
    """Return a consumer's path."""
    return f"{CONSUMERS}/{quote(consumer_id, safe='')}"


def _named(name: str, retry: Retry) -> Flow[dict[str, Any] | None]:
    params = {"limit": _PAGE}
    while True:
        page = (yield from ask(Request("GET", CONSUMERS, params=params), Tries(retry))).json()
        for each in page["items"]:
            if each["name"] == name and each["status"] in _USABLE:
                found: dict[str, Any] = each
                return found
        if not page.get("next_token"):
            return None
        params["next_token"] = page["next_token"]


def _made(name: str, wanted: Mapping[str, Any], retry: Retry) -> Flow[dict[str, Any]]:
    # Two processes that find none at the same moment make one: their keys are the same. A key is used up where the consumer that
    # it made was deleted or has another name now; or it has made one meanwhile, which wants something else.
    for generation in range(_GENERATIONS):
        key = str(uuid5(NAMESPACE_URL, f"tillflow-client:{generation}:{name}"))
        there = (yield from _made_with(key, name, wanted, retry)) or (yield from _named(name, retry))
        if there is not None:
            return there
    request = post(CONSUMERS, {"name": name, **wanted}, {"Idempotency-Key": str(uuid4())})
    return (yield from ask(request, Tries(retry))).json()


def _made_with(key: str, name: str, wanted: Mapping[str, Any], retry: Retry) -> Flow[dict[str, Any] | None]:
    """Return the consumer that was made with a *key*, now or before; None if it is another one by now, or none."""
    try:
        answer = yield from ask(post(CONSUMERS, {"name": name, **wanted}, {"Idempotency-Key": key}), Tries(retry))
        made = answer.json()
        # An answer that is given again tells how it was.
        there = (yield from describe(made["consumer_id"], retry)) if is_replay(answer) else made
    except NotFound:
        return None
    except (BadRequest, Conflict) as error:
        if error.error_code not in _USED_UP:
            raise
        return None
    return there if there["name"] == name else None


def _text(start: Start) -> str:
    return start if isinstance(start, str) else iso(start, "start")


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list) else value
