"""
Credentials of machines: `tf_<id>_<secret>`, of one kind (`service` or `api_key`), with a name, scopes and an owner.

One is found by its id. Its secret has 256 random bits, so there is nothing to guess and a plain SHA-256 of it is kept; it is
shown once. Several of an owner live side by side, so that one is replaced without a gap.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from typing import Any
from uuid import UUID

from tillflow.contexts.identity import tables
from tillflow.errors import NotFound, Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.storage import database
from tillflow.storage.again import Moved
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, when
from tillflow.values import clock, ids

SERVICE, API_KEY = "service", "api_key"
# Whose the service tokens are: the stack's.
STACK = "stack"
_CREDENTIAL = re.compile(r"tf_([0-9a-f]{32})_([\w-]{43})", re.ASCII)
_SECRET_BYTES = 32
_NOT_FOUND = "There is no credential with this id."
_USE_NOTED_SECONDS = 3_600


class CredentialNotFound(NotFound):
    """There is no such credential."""

    code = "CREDENTIAL_NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine's credential, without its secret; moments in ISO 8601."""

    machine_id: str
    kind: str
    owner: str
    name: str
    scopes: tuple[str, ...]
    created_at: str
    created_by: str
    last_used_at: str | None = None


def issue(kind: str, owner: str, name: str, scopes: Sequence[str], cause: Cause) -> tuple[Machine, str]:
    """Make a credential; return it, and its text, which nobody can be shown again."""
    commit = Commit(cause)
    made = add(commit, kind, owner, name, scopes, cause)
    commit.write()
    return made


def add(commit: Commit, kind: str, owner: str, name: str, scopes: Sequence[str], cause: Cause) -> tuple[Machine, str]:
    """Let *commit* make a credential, as `issue` does."""
    machine = Machine(ids.new(), kind, owner, name, tuple(sorted(set(scopes))), clock.iso(cause.at), cause.user_id)
    secret = token_urlsafe(_SECRET_BYTES)
    commit.put(
        tables.identity(),
        tables.machine_key(machine.machine_id)
        | {
            "kind": kind,
            "owner": owner,
            "name": name,
            "scopes": list(machine.scopes),
            "digest": _digest(secret),
            "created_at": machine.created_at,
            "created_by": machine.created_by,
            "listed": tables.machines_listed(kind, owner),
            "listed_as": tables.listed_as(machine.created_at, machine.machine_id),
        },
        when=absent(),
        otherwise=lambda _: None,  # nobody else has its id
    )
    return machine, f"tf_{UUID(machine.machine_id).hex}_{secret}"


def authenticate(kind: str, text: str) -> Machine | None:
    """Return whose credential of this *kind* a text is, as `find` does, and note that it is used: once an hour."""
    if found := find(kind, text):
        _note_use(found)
    return found


def find(kind: str, text: str) -> Machine | None:
    """
    Return whose credential of this *kind* a text is, or None.

    Raises:
        Unavailable: the database does not answer.
    """
    parts = _CREDENTIAL.fullmatch(text)
    if not parts:
        return None
    item = database.get(tables.identity(), tables.machine_key(str(UUID(parts[1]))))
    if item is None or item["kind"] != kind or "revoked_at" in item or not compare_digest(item["digest"], _digest(parts[2])):
        return None
    return _of_item(item)


def list_live(kind: str, owner: str) -> list[Machine]:
    """Return an owner's credentials of one kind that are not revoked, newest first. One made just now may be missing."""
    bounds = (clock.EARLIEST, clock.LATEST)
    keys = ("listed", "listed_as")
    listed = database.between(tables.identity(), tables.LISTED_INDEX, keys, tables.machines_listed(kind, owner), bounds)
    found = database.batch(tables.identity(), [tables.machine_key(tables.machine_id_of(entry)) for entry in listed])
    machines = [_of_item(item) for item in found if "revoked_at" not in item]
    return sorted(machines, key=lambda each: (each.created_at, each.machine_id), reverse=True)


def revoke(kind: str, owner: str, machine_id: str, cause: Cause) -> None:
    """
    Let a credential open nothing any more. Revoked twice, it stays revoked when it was.

    Raises:
        CredentialNotFound: the owner has none of this kind and id.
    """
    if not ids.is_uuid(machine_id):
        raise CredentialNotFound(_NOT_FOUND)
    commit = Commit(cause)
    commit.update(
        tables.identity(),
        tables.machine_key(machine_id),
        change={"revoked_at": clock.iso(cause.at), "revoked_by": cause.user_id},
        remove=("listed", "listed_as"),
        when=when("#kind = :kind AND #owner = :owner AND attribute_not_exists(#revoked_at)", kind=kind, owner=owner),
        otherwise=lambda found: _refusal(found, kind, owner),
    )
    with suppress(Moved):
        commit.write()


def present(machine: Machine) -> dict[str, Any]:
    """Return a credential as it is shown: without its secret."""
    return {
        "id": machine.machine_id,
        "name": machine.name,
        "scopes": list(machine.scopes),
        "created_at": machine.created_at,
        "created_by": machine.created_by,
        "last_used_at": machine.last_used_at,
    }


def _refusal(found: Item | None, kind: str, owner: str) -> Exception:
    if found and (found["kind"], found["owner"]) == (kind, owner):
        return Moved()  # it is revoked already
    return CredentialNotFound(_NOT_FOUND)


def _note_use(machine: Machine) -> None:
    """Note that a credential is used, unless that was less than an hour ago. Nobody is refused because it fails."""
    now, last = clock.now(), machine.last_used_at
    if last and clock.epoch(now) - clock.epoch(clock.parse(last)) < _USE_NOTED_SECONDS:
        return
    commit = Commit(Cause(machine.created_by, (), ids.new(), at=now))
    commit.update(
        tables.identity(),
        tables.machine_key(machine.machine_id),
        change={"last_used_at": clock.iso(now)},
        when=when("attribute_not_exists(#last_used_at) OR #last_used_at < :now", now=clock.iso(now)),
        otherwise=lambda _: Moved(),
    )
    with suppress(Moved, Unavailable):
        commit.write()


def _of_item(item: Item) -> Machine:
    return Machine(
        tables.machine_id_of(item),
        item["kind"],
        item["owner"],
        item["name"],
        tuple(item["scopes"]),
        item["created_at"],
        item["created_by"],
        item.get("last_used_at"),
    )


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
