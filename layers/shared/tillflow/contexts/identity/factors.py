"""
The second factor: an authenticator app's secret (TOTP), and recovery codes for who has lost it (docs/adr/0019).

In the user's item are: `totp` {secret, last_step, since}, `recovery` [hash, …], and `totp_pending` {secret, until}, what was
shown to the user to be set up. Secrets are encrypted under KMS for this user alone; a recovery code is kept as its hash.
"""

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tillflow.contexts.identity import tables, totp, users
from tillflow.contexts.identity.refusals import InvalidFactorCode, NoEnrolment, NoSession
from tillflow.contexts.identity.users import User
from tillflow.messaging.envelope import Cause
from tillflow.runtime import aws, faults
from tillflow.runtime.config import setting
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit, unchanged
from tillflow.values import clock
from tillflow.web.request import Principal

_TIME_TO_SET_UP = timedelta(minutes=15)
_RECOVERY_CODES = 10
_RECOVERY_BYTES = 15  # 120 bits, more than the 112 that are kept under a plain hash (NIST SP 800-63B-4, 3.1.2.2)
_TOTP = re.compile(rf"\d{{{totp.DIGITS}}}", re.ASCII)
_BUSY = "This account is being changed by others. Send the same request again."
_OF_ITEM = ("totp", "recovery", "totp_pending")


@dataclass(frozen=True, slots=True)
class Shown:
    """A second factor that was shown to be right: what a commit must *change* of the *user*, so that it is never again."""

    user: User
    change: Mapping[str, Any]

    def spend(self, commit: Commit) -> None:
        """Let *commit* use the code up, of a user who is as they were; else it finds that the world has `Moved`."""
        _change(commit, self.user, self.change)


def check(user: User, code: str, at: datetime) -> Shown | None:
    """Return what is to be spent where *code* is right at this moment: an app's, or a recovery code; None where it is not."""
    if "totp" not in user.factor:
        return None
    if not _TOTP.fullmatch(code.strip()):
        return _check_recovery(user, code)
    known = user.factor["totp"]
    secret = _opened(known["secret"], user.user_id)
    step = totp.matching_step(secret, code.strip(), clock.epoch(at), after=known["last_step"])
    return None if step is None else Shown(user, {"totp": known | {"last_step": step}})


def _check_recovery(user: User, code: str) -> Shown | None:
    sent, kept = _hash_of(code), user.factor.get("recovery", [])
    left = [each for each in kept if not hmac.compare_digest(each, sent)]
    return Shown(user, {"recovery": left}) if len(left) < len(kept) else None


def owner(caller: Principal) -> str:
    """
    Return whose second factor *caller* may change: their own, where they have logged in a moment ago.

    Raises:
        FreshLoginRequired: it is longer ago.
        NoSession: the credential is no login's.
    """
    caller.require_fresh_login()
    if caller.session_id is None:
        raise NoSession("Log in to change your second factor: this credential is no login's.")
    return caller.user_id


def enrol(user_id: str, why: Cause) -> dict[str, str]:
    """
    Make a secret for a user's authenticator app, and return how it is shown; it counts when it is confirmed.

    Raises:
        UserNotFound: the caller's credential is no user's.
    """
    secret = secrets.token_bytes(totp.SECRET_BYTES)
    sealed = _sealed(secret, user_id)

    def attempt() -> User:
        user, commit = users.get(user_id), Commit(why)
        _change(commit, user, {"totp_pending": {"secret": sealed, "until": clock.epoch(why.at + _TIME_TO_SET_UP)}})
        commit.write()
        return user

    uri = totp.uri(secret, again(attempt, _BUSY).email)
    return {"secret": totp.shown(secret), "otpauth_uri": uri, "qr_svg": _qr(uri)}


def confirm(user_id: str, code: str, why: Cause) -> list[str]:
    """
    Have a user's logins ask for the factor that they were shown last, and return the recovery codes.

    Sent again while there is time to set it up, it returns others: those of a lost answer are then good no more.

    Raises:
        NoEnrolment: none was shown, or too long ago.
        InvalidFactorCode: the code is not that factor's.
        UserNotFound: the caller's credential is no user's.
    """
    codes = [_recovery_code() for _ in range(_RECOVERY_CODES)]

    def attempt() -> None:
        user = users.get(user_id)
        pending = user.factor.get("totp_pending")
        if pending is None or clock.epoch(why.at) >= pending["until"]:
            raise NoEnrolment("Ask for a new secret, and confirm it within 15 minutes.")
        step = totp.matching_step(_opened(pending["secret"], user_id), code.strip(), clock.epoch(why.at))
        if step is None:
            raise InvalidFactorCode("The code is not right. See that your device's clock is, and send the next code.")
        known = user.factor.get("totp")
        if known and known["secret"] == pending["secret"]:
            step = max(step, known["last_step"])  # confirmed before: no code becomes good again
        confirmed = {"secret": pending["secret"], "last_step": step, "since": clock.iso(why.at)}
        commit = Commit(why)
        _change(commit, user, {"totp": confirmed, "recovery": [_hash_of(each) for each in codes]})
        commit.write()

    again(attempt, _BUSY)
    return codes


def remove(user_id: str, why: Cause) -> None:
    """
    Have a user's logins ask for no second factor.

    Raises:
        UserNotFound: the caller's credential is no user's.
    """

    def attempt() -> None:
        user, commit = users.get(user_id), Commit(why)
        _change(commit, user, {}, remove=_OF_ITEM)
        commit.write()

    again(attempt, _BUSY)


def _change(commit: Commit, user: User, change: Mapping[str, Any], remove: tuple[str, ...] = ()) -> None:
    """Let *commit* change the second factor of a user of whom nothing was changed that a login rests on."""
    read = {"epoch": user.epoch, "disabled": user.disabled, **user.factor}
    commit.update(
        tables.identity(),
        tables.user_key(user.user_id),
        change=change,
        remove=remove,
        when=unchanged(read, ("epoch", "disabled", *_OF_ITEM)),
        otherwise=lambda _: Moved(),
    )


def _recovery_code() -> str:
    code = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _hash_of(code: str) -> str:
    # However it is typed: in small letters, without hyphens, with spaces.
    letters = re.sub(r"[\s-]", "", code).upper()
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).hexdigest()


def _sealed(secret: bytes, user_id: str) -> bytes:
    with faults.unavailable("key store"):
        return aws.client("kms").encrypt(
            KeyId=setting("FACTOR_KEY_ARN"), Plaintext=secret, EncryptionContext={"user_id": user_id}
        )["CiphertextBlob"]


def _opened(sealed: bytes, user_id: str) -> bytes:
    # Another user's secret in this user's item would not open: it was sealed for that one.
    with faults.unavailable("key store"):
        return aws.client("kms").decrypt(
            KeyId=setting("FACTOR_KEY_ARN"), CiphertextBlob=sealed, EncryptionContext={"user_id": user_id}
        )["Plaintext"]


def _qr(uri: str) -> str:
    import segno

    return str(segno.make_qr(uri, error="m").svg_inline(scale=4, light="#fff"))
