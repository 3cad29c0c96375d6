"""Sessions: one for each login, of which refresh tokens are generations. What hands out tokens is in opening.py."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tillflow.contexts.identity import tables
from tillflow.contexts.identity.liveness import is_live
from tillflow.contexts.identity.refusals import NoSession, SessionNotFound
from tillflow.messaging.envelope import Cause
from tillflow.storage import database
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, when
from tillflow.values import clock, ids
from tillflow.web.request import Request


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, as API Gateway saw them: *address*, *user_agent*, and when the request *arrived* (ms since 1970)."""

    address: str
    user_agent: str
    arrived: int

    @staticmethod
    def of(request: Request) -> "Client":
        """Return who sends a request."""
        return Client(request.address, request.user_agent, request.arrived)


def list_live(user_id: str, now: datetime) -> Iterator[tuple[str, Item]]:
    """Yield the id and item of each of a user's sessions that is not over."""
    items = database.partition(tables.identity(), tables.user_partition(user_id))
    user = next(filter(tables.is_user, items), None)
    for item in items:
        if user and item is not user and is_live(item, user, clock.epoch(now)):
            yield tables.session_id_of(item), item


def end(user_id: str, session_id: str | None, cause: Cause) -> None:
    """
    End a session of a user. Ending it twice changes nothing more.

    Raises:
        NoSession: the caller's credential has none.
        SessionNotFound: there is none of this id.
    """
    if session_id is None:
        raise NoSession("This credential is no login's, and has no session. It ends by itself.")
    not_found = SessionNotFound("There is no session with this id.")
    if not ids.is_uuid(session_id):
        raise not_found  # DynamoDB takes no key of any length
    commit = Commit(cause)
    commit.update(
        tables.identity(),
        tables.session_key(user_id, session_id),
        change={"revoked_at": clock.iso(cause.at)},
        when=when("attribute_exists(#pk)"),
        otherwise=lambda _: not_found,
    )
    commit.write()


def carry_over(commit: Commit, user_id: str, session_id: str, epoch: int) -> None:
    """Let *commit* keep one session where it ends every other by giving its user another *epoch*."""
    commit.update(
        tables.identity(),
        tables.session_key(user_id, session_id),
        change={"epoch": epoch},
        when=when("attribute_exists(#pk) AND attribute_not_exists(#revoked_at)"),
        otherwise=lambda _: SessionNotFound("There is no such session, or it is over."),
    )


def present(session_id: str, session: Item, current: str | None) -> dict[str, Any]:
    """Return a session as its user is shown it."""
    return {
        "id": session_id,
        "created_at": session["created_at"],
        "last_used_at": clock.iso(clock.from_milliseconds(session["rotated_at"])),
        "address": session["address"],
        "user_agent": session["user_agent"],
        "current": session_id == current,
    }
