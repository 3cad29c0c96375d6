"""Answers about replays. Moments are ISO 8601 in UTC."""

from typing import Literal, NotRequired, TypedDict

# Functional: `from` is a word of Python's.
_Window = TypedDict("_Window", {"from": str, "to": str})


class Replay(_Window):
    """
    Stored events on their way to one consumer again, *sent* of them so far (one may be sent twice).

    STOPPED: somebody stopped it, or the consumer was deleted.
    """

    replay_id: str
    consumer_id: str
    status: Literal["RUNNING", "COMPLETED", "STOPPED"]
    event_types: list[str]
    dead_only: bool
    rate: int
    sent: int
    created_at: str
    created_by: str
    ended_at: NotRequired[str]


class Rehearsal(TypedDict):
    """How many events a replay would send: *matched* is exact (`eq`), or there are more (`gte`)."""

    dry_run: Literal[True]
    matched: int
    matched_relation: Literal["eq", "gte"]


class ReplayPage(TypedDict):
    """A page of replays, newest first."""

    items: list[Replay]
    next_token: str | None
