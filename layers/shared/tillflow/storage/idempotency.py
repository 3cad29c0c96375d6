"""
One key, one effect: the idempotency rule of every command that takes an `Idempotency-Key`.

The record is written in the command's own commit, so there is no "in progress" state and a crash never locks a key.
A key belongs to one operation of one caller for 24 hours; expiry is checked here (DynamoDB deletes late).
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from tillflow.errors import Conflict, Invalid, Refusal
from tillflow.messaging.envelope import Cause
from tillflow.storage import database, tables
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, when
from tillflow.storage.tables import Key
from tillflow.values import clock, jsontext

LIFETIME_SECONDS = 24 * 60 * 60
MAX_KEY_LENGTH = 255


class KeyReused(Invalid):
    """The key was used with another body."""

    code = "IDEMPOTENCY_KEY_REUSED"
    title = "Idempotency key reused"


class KeyConflict(Conflict):
    """The key was used with another body (409, in the stock contract's words)."""

    code = "IDEMPOTENCY_CONFLICT"
    title = "Idempotency conflict"
    detail = "stock-idempotency-conflict"


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What a command answers: *status* and JSON *body*; *replayed* when it was answered before.

    A large body that the command's own item tells as well is not kept twice: *rebuilt_from* is what `run` rebuilds it from.
    """

    status: int
    body: dict[str, Any]
    replayed: bool = False
    rebuilt_from: str | None = None


type Rebuild = Callable[[str], dict[str, Any]]


class Once(Protocol):
    """How often a command may take effect: once under a key (`Idempotency`), or each time (`Unkeyed`)."""

    def remember(self, commit: Commit, cause: Cause, reply: Reply) -> None:
        """Let *commit* store *reply* under the key, if there is one."""

    def answered(self) -> Reply | None:
        """Return what was answered to this key before, if anything: for a command that does much before it can `remember`."""

    def run(self, command: Callable[[], Reply], rebuild: Rebuild | None = None) -> Reply:
        """Return what *command* (which calls `remember`) answers, or what it answered to this key before."""


class Unkeyed:
    """A command without a key, where its contract asks for none."""

    def remember(self, commit: Commit, cause: Cause, reply: Reply) -> None:
        """Do nothing: each time is the first."""

    def answered(self) -> Reply | None:
        """Return nothing."""
        return None

    def run(self, command: Callable[[], Reply], rebuild: Rebuild | None = None) -> Reply:
        """Return what *command* answers."""
        del rebuild  # nothing was kept
        return command()


class _Replayed(Exception):
    def __init__(self, record: Item) -> None:
        super().__init__()
        self.record = record


@dataclass(frozen=True, slots=True)
class Idempotency:
    """
    One command under its key: *operation* and *caller* scope the *key*, *body* is what the key stands for.

    *reused* is raised when the key comes again with another body (422; the stock contract says 409).
    """

    operation: str
    caller: str
    key: str
    body: Any
    reused: type[Refusal] = KeyReused

    @property
    def _key(self) -> Key:
        scoped = f"{self.operation}\n{self.caller}\n{self.key}".encode("utf-8", "surrogatepass")
        return tables.idempotency_key(hashlib.sha256(scoped).hexdigest())

    @property
    def _fingerprint(self) -> str:
        # Sorted: {"a", "b"} and {"b", "a"} are one request.
        return hashlib.sha256(json.dumps(self.body, sort_keys=True).encode()).hexdigest()

    def remember(self, commit: Commit, cause: Cause, reply: Reply) -> None:
        """Let *commit* store *reply* under the key, or fail because the key has been used."""
        commit.first(
            tables.idempotency(),
            self._key
            | {
                "fingerprint": self._fingerprint,
                "status": reply.status,
                "body": jsontext.dumps(reply.body) if reply.rebuilt_from is None else None,
                "rebuilt_from": reply.rebuilt_from,
                "expires_at": clock.epoch(cause.at) + LIFETIME_SECONDS,
            },
            when=when("attribute_not_exists(#pk) OR #expires_at <= :now", now=clock.epoch(cause.at)),
            otherwise=lambda record: _Replayed(record or {}),
        )

    def answered(self, rebuild: Rebuild | None = None) -> Reply | None:
        """Return what was answered to this key before, if anything (see `run`)."""
        record = database.get(tables.idempotency(), self._key)
        if record is None or record["expires_at"] <= clock.epoch(clock.now()):
            return None
        return self._replay(record, rebuild)

    def run(self, command: Callable[[], Reply], rebuild: Rebuild | None = None) -> Reply:
        """
        Return what *command* (which calls `remember`) answers, or what it answered to this key before.

        *rebuild* returns the body that was answered, from the reply's `rebuilt_from`.

        A refusal is looked at twice: a replay must get its first answer even if the world has changed since.
        """
        try:
            return command()
        except _Replayed as replay:
            return self._replay(replay.record, rebuild)
        except Refusal:
            if (told := self.answered(rebuild)) is None:
                raise
            return told

    def _replay(self, record: Item, rebuild: Rebuild | None) -> Reply:
        if record["fingerprint"] != self._fingerprint:
            raise self.reused("This Idempotency-Key was used with a different request. Use a new key.")
        # A record from before the command's answers were rebuilt has its body.
        body = rebuild(record["rebuilt_from"]) if rebuild and "rebuilt_from" in record else jsontext.loads(record["body"])
        return Reply(record["status"], body, replayed=True)
