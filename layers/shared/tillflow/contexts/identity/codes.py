"""
Codes: what a mail's link and a login's challenge are opened with.

A code's token is `<its id>.<MAC of its id, purpose and user>`: what would open it is stored nowhere, is in no event and in no
log; the mail's consumer computes it again. What the code is for is an item that one commit uses up, once.
"""

import hmac
import re
from datetime import timedelta
from enum import StrEnum
from typing import Any

from tillflow.contexts.identity import events, tables
from tillflow.errors import Refusal
from tillflow.messaging.envelope import Cause
from tillflow.runtime import secrets
from tillflow.storage import database
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, when
from tillflow.values import base64url, clock, ids

_SECRET = "CODE_SECRET_ARN"
_TOKEN = re.compile(r"([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})")


class Purpose(StrEnum):
    """What a code is for."""

    VERIFY = "verify"
    RESET = "reset"
    # Tells somebody who registers again that they have an account: its mail has no link that changes anything.
    TAKEN = "taken"
    # Nobody has this address, or it has had its mails: the same work, and no mail.
    NOBODY = "nobody"
    MFA = "mfa"


LIFETIMES = {
    Purpose.VERIFY: timedelta(hours=24),
    Purpose.RESET: timedelta(minutes=30),
    Purpose.TAKEN: timedelta(hours=24),
    Purpose.NOBODY: timedelta(minutes=30),
    Purpose.MFA: timedelta(minutes=5),
}
# What is told in a mail.
_MAILED = (Purpose.VERIFY, Purpose.RESET, Purpose.TAKEN)


def issue(commit: Commit, purpose: Purpose, user_id: str, cause: Cause, **bound: Any) -> str:
    """Let *commit* make a code for *user_id*, with what is *bound* to it and the mail that tells it; return the code's id."""
    code_id = ids.short(ids.new())
    commit.put(
        tables.identity(),
        tables.code_key(code_id)
        | {
            "purpose": purpose.value,
            "user_id": user_id,
            "expires_at": clock.epoch(cause.at + LIFETIMES[purpose]),
            **bound,
        },
        when=absent(),
        otherwise=lambda _: None,  # nobody else has its id: its mail was sent before an answer came
    )
    if purpose in _MAILED:
        commit.emit(events.mail_requested(code_id, purpose.value, user_id))
    return code_id


def token_of(code_id: str, purpose: Purpose, user_id: str) -> str:
    """Return the token that opens a code."""
    return sealed(secrets.current(_SECRET), code_id, purpose, user_id)


def opened(token: str, purpose: Purpose, refusal: Refusal) -> Item:
    """
    Return the code that *token* opens, for this *purpose*.

    Raises:
        refusal: there is none, or it has been used or is too old.
    """
    shape = _TOKEN.fullmatch(token)
    code = database.get(tables.identity(), tables.code_key(shape[1])) if shape else None
    if not (shape and code and code["purpose"] == purpose and is_open(code)):
        raise refusal
    # One signed before the last rotation opens too.
    expected = (sealed(secret, shape[1], purpose, code["user_id"]) for secret in secrets.versions(_SECRET))
    if not any(hmac.compare_digest(each, token) for each in expected):
        raise refusal
    return code


def is_open(code: Item) -> bool:
    """Tell whether a code may still be used."""
    return "used_at" not in code and clock.epoch(clock.now()) < code["expires_at"]


def use(commit: Commit, code: Item, cause: Cause, refusal: Refusal) -> None:
    """Let *commit* use up a code, or raise the *refusal* where another has."""
    commit.update(
        tables.identity(),
        tables.key_of(code),
        change={"used_at": clock.iso(cause.at)},
        when=when("attribute_exists(#pk) AND attribute_not_exists(#used_at)"),
        otherwise=lambda _: refusal,
    )


def sealed(secret: bytes, code_id: str, purpose: Purpose, user_id: str) -> str:
    """Return the token that opens a code under this *secret*."""
    mac = hmac.digest(secret, f"code\n{purpose}\n{code_id}\n{user_id}".encode(), "sha256")
    return f"{code_id}.{base64url.encode(mac)}"
