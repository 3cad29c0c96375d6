"""Users in DynamoDB, and what is shown of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from tillflow.contexts.identity import addresses, tables
from tillflow.contexts.identity.refusals import UserNotFound
from tillflow.storage import database
from tillflow.storage.again import Moved
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, when
from tillflow.storage.tables import index_partition
from tillflow.values import clock, ids

NO_SUCH_USER = "There is no user with this id."


@dataclass(frozen=True, slots=True)
class User:
    """
    A user: who they are, what they may do, and how they show that it is them.

    Sessions of another *epoch* are over. *factor* is the second factor's part of the item. *tried_hash* is of the password that
    somebody registered the address with when it was taken already (`keep_tried`).
    """

    user_id: str
    email: str
    name: str
    roles: tuple[str, ...]
    password_hash: str
    email_verified: bool
    disabled: bool
    epoch: int
    created_at: str
    factor: Item = field(default_factory=dict)
    tried_hash: str | None = None

    @property
    def mfa_enabled(self) -> bool:
        """Whether a login needs a second factor."""
        return "totp" in self.factor

    @property
    def is_administrator(self) -> bool:
        """Whether the user may administer, now."""
        return "admin" in self.roles and not self.disabled


def new(email: str, name: str, role: str, password_hash: str, at: datetime) -> User:
    """Return somebody who is new *at* this moment, and whose address nobody has shown to be theirs."""
    return User(
        user_id=ids.new(),
        email=email,
        name=name,
        roles=(role,),
        password_hash=password_hash,
        email_verified=False,
        disabled=False,
        epoch=0,
        created_at=clock.iso(at),
    )


def of_item(item: Item) -> User:
    """Return the user that an item is."""
    return User(
        user_id=tables.user_id_of(item),
        email=item["email"],
        name=item["name"],
        roles=tuple(item["roles"]),
        password_hash=item["password_hash"],
        email_verified=item["email_verified"],
        disabled=item["disabled"],
        epoch=item["epoch"],
        created_at=item["created_at"],
        factor={name: item[name] for name in ("totp", "totp_pending", "recovery") if name in item},
    )


def find(user_id: str) -> User | None:
    """Return a user, or None."""
    item = database.get(tables.identity(), tables.user_key(user_id))
    return of_item(item) if item else None


def get(user_id: str) -> User:
    """
    Return a user.

    Raises:
        UserNotFound: there is none.
    """
    if found := find(user_id):
        return found
    raise UserNotFound(NO_SUCH_USER)


def find_by_email(email: str) -> User | None:
    """Return whose address this is, or None; the same two reads whether there is one or not."""
    taken = database.get(tables.identity(), tables.email_key(addresses.folded(email)))
    user = find(taken["user_id"] if taken else ids.derived("nobody", addresses.folded(email)))
    return replace(user, tried_hash=taken.get("tried_hash")) if taken and user else user


def find_each(user_ids: Iterable[str]) -> Iterator[User]:
    """Yield the users that there are, in any order."""
    keys = [tables.user_key(each) for each in user_ids]
    return map(of_item, database.batch(tables.identity(), keys, consistent=False))


def add(commit: Commit, user: User) -> None:
    """Let *commit* make a user whose address is nobody's yet; else it finds that the world has `Moved`."""
    commit.put(
        tables.identity(),
        tables.email_key(addresses.folded(user.email)) | {"user_id": user.user_id},
        when=absent(),
        otherwise=lambda _: Moved(),
    )
    commit.put(
        tables.identity(),
        tables.user_key(user.user_id)
        | {
            "email": user.email,
            "name": user.name,
            "roles": list(user.roles),
            "password_hash": user.password_hash,
            "email_verified": user.email_verified,
            "disabled": user.disabled,
            "epoch": user.epoch,
            "created_at": user.created_at,
            "listed": index_partition(user.user_id),
            "listed_as": tables.listed_as(user.created_at, user.user_id),
        },
        when=absent(),
        otherwise=lambda _: Moved(),
    )


def keep_tried(commit: Commit, user: User, password_hash: str) -> None:
    """
    Let *commit* keep the password that somebody registered a taken address with.

    With it they are told that the address is not verified, as they would be if it had been free: nobody learns which it is.
    """
    commit.update(
        tables.identity(),
        tables.email_key(addresses.folded(user.email)),
        change={"tried_hash": password_hash},
        when=when("attribute_exists(#pk)"),
        otherwise=lambda _: Moved(),
    )


def change(commit: Commit, user: User, remove: tuple[str, ...] = (), **values: Any) -> None:
    """Let *commit* change a user who is still as *user* was read; else it finds that the world has `Moved`."""
    commit.update(
        tables.identity(),
        tables.user_key(user.user_id),
        change=values,
        remove=remove,
        when=when(
            "#epoch = :epoch AND #password_hash = :hash AND #disabled = :disabled"
            " AND #email_verified = :verified AND #roles = :roles",
            epoch=user.epoch,
            hash=user.password_hash,
            disabled=user.disabled,
            verified=user.email_verified,
            roles=list(user.roles),
        ),
        otherwise=lambda _: Moved(),
    )


def changed(user: User, changes: Mapping[str, Any]) -> User:
    """Return *user* as they are after *changes* of their item."""
    values: dict[str, Any] = {name: tuple(value) if name == "roles" else value for name, value in changes.items()}
    return replace(user, **values)


def present(user: User) -> dict[str, Any]:
    """Return a user as they are shown to themselves and to administrators."""
    return {
        "id": user.user_id,
        "email": user.email,
        "name": user.name,
        "roles": list(user.roles),
        "email_verified": user.email_verified,
        "mfa_enabled": user.mfa_enabled,
        "disabled": user.disabled,
        "created_at": user.created_at,
    }
