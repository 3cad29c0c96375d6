"""What hands out tokens: the beginning of a session, and each refresh of it."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from tillflow.contexts.identity import events, refreshing, tables, tokens, users
from tillflow.contexts.identity.liveness import IDLE_SECONDS, is_live
from tillflow.contexts.identity.lookup import user_and_session
from tillflow.contexts.identity.refreshing import Generations, Stolen
from tillflow.contexts.identity.refusals import InvalidRefreshToken
from tillflow.contexts.identity.sessions import Client
from tillflow.contexts.identity.users import User
from tillflow.messaging.envelope import Cause
from tillflow.runtime.invocation import logger
from tillflow.storage.again import Moved, again
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, when
from tillflow.values import clock, ids

LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a login, or a refresh, is answered with."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int = tokens.ACCESS_SECONDS

    def answer(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        return asdict(self)


def begin(commit: Commit, user: User, client: Client, at: datetime) -> Tokens:
    """Let *commit* begin a session of *user*, who has just shown who they are; return its first tokens."""
    session_id, generations = ids.new(), refreshing.begun(clock.milliseconds(at))
    expires_at = clock.epoch(at + LIFETIME)
    commit.put(
        tables.identity(),
        tables.session_key(user.user_id, session_id)
        | asdict(generations)
        | {
            "epoch": user.epoch,
            "created_at": clock.iso(at),
            "authenticated_at": clock.epoch(at),
            "expires_at": expires_at,
            "address": client.address,
            "user_agent": client.user_agent,
        },
        when=absent(),
        otherwise=lambda _: None,  # nobody else has its id
    )
    return _tokens(user, session_id, generations, expires_at, at)


def refresh(token: str, client: Client, trace_id: str) -> Tokens:
    """
    Return the tokens that follow a refresh token.

    Raises:
        InvalidRefreshToken: it is none of ours, or no longer good; or it was stolen, and then its session is over.
    """
    read = tokens.read_refresh(token)
    if read is None:
        raise _refused()

    def attempt() -> Tokens:
        user, session = user_and_session(read.user_id, read.session_id)
        now = clock.now()
        if user is None or session is None or not is_live(session, user, clock.epoch(now)):
            raise _refused()
        known = _generations(session)
        try:
            then = refreshing.presented(known, read.generation, arrived=client.arrived, now=clock.milliseconds(now))
        except Stolen:
            _revoke_stolen(session, Cause(read.user_id, users.of_item(user).roles, trace_id, at=now))
            raise _refused() from None
        if then != known:
            _turn(session, then, client, Cause(read.user_id, (), trace_id, at=now))
        return _tokens(users.of_item(user), read.session_id, then, session["expires_at"], now)

    return again(attempt, "Too many ask for this session at once. Send the same request again.")


def _turn(session: Item, then: Generations, client: Client, cause: Cause) -> None:
    """Give a session its next generations; whoever was faster has `Moved` it."""
    commit = Commit(cause)
    commit.update(
        tables.identity(),
        tables.key_of(session),
        change=asdict(then) | {"address": client.address, "user_agent": client.user_agent},
        when=when(
            "#current = :known AND #reissues = :told AND #rotated_at = :since AND attribute_not_exists(#revoked_at)",
            known=session["current"],
            told=session["reissues"],
            since=session["rotated_at"],
        ),
        otherwise=lambda _: Moved(),
    )
    commit.write()


def _revoke_stolen(session: Item, cause: Cause) -> None:
    session_id = tables.session_id_of(session)
    commit = Commit(cause)
    commit.update(
        tables.identity(),
        tables.key_of(session),
        change={"revoked_at": clock.iso(cause.at)},
        when=when("attribute_not_exists(#revoked_at)"),
        otherwise=lambda _: _refused(),
    )
    commit.emit(events.session_revoked(cause.user_id, session_id, "refresh_token_reused"))
    commit.write()
    logger.warning("a refresh token was used that must have been stolen", extra={"session_id": session_id})


def _tokens(user: User, session_id: str, generations: Generations, expires_at: int, at: datetime) -> Tokens:
    rotated = clock.from_milliseconds(generations.rotated_at)
    until = min(expires_at, clock.epoch(rotated) + IDLE_SECONDS)
    return Tokens(
        tokens.access(user.user_id, session_id, user.roles, at),
        # Of its generation alone: who is told it again is told the same.
        tokens.refresh(user.user_id, session_id, generations.current, rotated, until),
    )


def _generations(session: Item) -> Generations:
    return Generations(**{each.name: session[each.name] for each in fields(Generations)})


def _refused() -> InvalidRefreshToken:
    return InvalidRefreshToken("This refresh token is not valid. Log in again.")
