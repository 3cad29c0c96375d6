"""What administrators do with users; and how the first of them comes to be."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

from tillflow.contexts.identity import passwords, tables, users
from tillflow.contexts.identity.models import UsersQuery
from tillflow.contexts.identity.refusals import AddressTaken, LastAdministrator, UserNotVerified
from tillflow.contexts.identity.users import User
from tillflow.messaging.envelope import Cause
from tillflow.storage import database
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit, absent, when
from tillflow.storage.tables import INDEX_PARTITIONS
from tillflow.values import clock
from tillflow.web import paging

_BUSY = "This user is being changed by others. Send the same request again."
_KEYS = ("listed", "listed_as")


class _AlreadyThere(Exception):
    """There is, or was, an administrator."""


def create_first(email: str, password: str, name: str, why: Cause) -> str | None:
    """
    Make the first administrator, with a verified address, and return their id; None where there has ever been one.

    Raises:
        WeakPassword: the password is too short or too well known.
        AddressTaken: somebody has registered this address already.
    """
    passwords.check(password, email=email, name=name)
    user = replace(users.new(email, name, "admin", passwords.hashed(password), why.at), email_verified=True)
    commit = Commit(why)
    commit.put(tables.identity(), tables.administrators_key() | {"number": 1}, when=absent(), otherwise=lambda _: _AlreadyThere())
    users.add(commit, user)
    try:
        commit.write()
    except _AlreadyThere:
        return None
    except Moved:
        raise AddressTaken("Somebody has registered this address. Take another for the first administrator.") from None
    return user.user_id


def set_roles(user_id: str, roles: tuple[str, ...], why: Cause) -> User:
    """
    Give a user these roles and no others.

    Raises:
        UserNotFound: there is no such user.
        LastAdministrator: nobody else could administer.
        UserNotVerified: they are to administer, and cannot log in yet.
    """

    def decide(user: User) -> dict[str, Any]:
        if "admin" in roles and not user.email_verified:
            raise UserNotVerified("Have them open the mail that they were sent when they registered, then make them one.")
        return {"roles": list(roles)} if set(user.roles) != set(roles) else {}

    return _change(user_id, decide, why)


def disable(user_id: str, why: Cause) -> User:
    """Let a user log in no more, and end their sessions; else as `set_roles`."""
    return _change(user_id, lambda user: {} if user.disabled else {"disabled": True, "epoch": user.epoch + 1}, why)


def enable(user_id: str, why: Cause) -> User:
    """Let a user log in again; else as `set_roles`."""
    return _change(user_id, lambda user: {"disabled": False} if user.disabled else {}, why)


def _change(user_id: str, decide: Callable[[User], dict[str, Any]], why: Cause) -> User:
    def attempt() -> User:
        user = users.get(user_id)
        changes = decide(user)
        if not changes:
            return user
        then = users.changed(user, changes)
        commit = Commit(why)
        users.change(commit, user, **changes)
        if then.is_administrator != user.is_administrator:
            _count(commit, 1 if then.is_administrator else -1)
        commit.write()
        return then

    return again(attempt, _BUSY)


def _count(commit: Commit, more: int) -> None:
    commit.update(
        tables.identity(),
        tables.administrators_key(),
        add={"number": more},
        when=when("#number > :fewest", fewest=1 if more < 0 else 0),
        otherwise=lambda _: LastAdministrator("This is the last administrator. Make another first."),
    )


def page(wanted: UsersQuery) -> dict[str, Any]:
    """
    Return a page of all users, newest first: `{items, next_token}`; or whoever has an *email*.

    Raises:
        InvalidToken: the token is of another list.
    """
    if wanted.email is not None:
        found = users.find_by_email(wanted.email)
        return {"items": [users.present(found)] if found else [], "next_token": None}
    before = _before(wanted)
    entries: list[tuple[str, str]] = []
    for partition in INDEX_PARTITIONS:
        read = database.between(
            tables.identity(),
            tables.LISTED_INDEX,
            _KEYS,
            partition,
            (clock.EARLIEST, before),
            ScanIndexForward=False,
            Limit=wanted.limit + 1,
        )
        entries += [(entry["listed_as"], tables.user_id_of(entry)) for entry in islice(read, wanted.limit + 1)]
    entries = sorted((each for each in entries if each[0] < before), reverse=True)
    shown, token = paging.cut(entries, wanted.limit, ("users",), lambda each: each[0])
    found_users = {each.user_id: each for each in users.find_each([user_id for _, user_id in shown])}
    return {
        "items": [users.present(found_users[user_id]) for _, user_id in shown if user_id in found_users],
        "next_token": token,
    }


def _before(wanted: UsersQuery) -> str:
    """Return what a page's entries come before; no entry is as late as the end of time."""
    if wanted.next_token is None:
        return clock.LATEST
    match paging.place_of(wanted.next_token, ("users",)):
        case [place] if clock.EARLIEST <= place <= clock.LATEST and place.isascii():
            return place
    raise paging.spoiled()
