"""
Replays: stored events, sent to one consumer again, marked as that.

A replay is an item that says how far it is; a state machine calls `replaying.run` until nothing is left (docs/adr/0022).
"""

from itertools import islice
from typing import Any

from tillflow.contexts.eventflow import registry, replaystore
from tillflow.contexts.eventflow.models import ListQuery
from tillflow.contexts.eventflow.replaystore import Replay, Status
from tillflow.storage.again import again
from tillflow.web import paging
from tillflow.web.paging import InvalidPlace


def show(consumer_id: str, replay_id: str) -> dict[str, Any]:
    """
    Return a replay as it is shown.

    Raises:
        ReplayNotFound: there is none.
    """
    return present(replaystore.find(consumer_id, replay_id))


def page(consumer_id: str, query: ListQuery) -> dict[str, Any]:
    """
    Return a page of a consumer's replays, newest first: `{items, next_token}`.

    Raises:
        ConsumerNotFound: there is no such consumer.
        InvalidPlace: the token is none of this list's.
    """
    registry.find(consumer_id)
    of = ("replays", consumer_id)
    before = paging.name_of(query.next_token, of, refusal=InvalidPlace) if query.next_token else ""
    found = (replaystore.of_item(item) for item in replaystore.newest(consumer_id, before))
    entries = list(islice((each for each in found if each.replay_id != before), query.limit + 1))
    shown, token = paging.cut(entries, query.limit, of, lambda each: each.replay_id)
    return {"items": list(map(present, shown)), "next_token": token}


def stop(consumer_id: str, replay_id: str) -> dict[str, Any]:
    """Stop a replay, and return it; one that has ended stays as it is. Else as `show`."""

    def attempt() -> Replay:
        replay = replaystore.find(consumer_id, replay_id)
        return replaystore.end(replay, Status.STOPPED) if replay.status == Status.RUNNING else replay

    return present(again(attempt, "The replay goes on at this moment. Send the same request again."))


def present(replay: Replay) -> dict[str, Any]:
    """Return a replay as it is shown."""
    return {
        "replay_id": replay.replay_id,
        "consumer_id": replay.consumer_id,
        "status": replay.status,
        "from": replay.since,
        "to": replay.until,
        "event_types": list(replay.types),
        "dead_only": replay.dead_only,
        "rate": replay.rate,
        "sent": replay.sent,
        "created_at": replay.created_at,
        "created_by": replay.created_by,
    } | ({"ended_at": replay.ended_at} if replay.ended_at else {})
