"""
Attempts: throttled, so that nobody guesses; never locked out, so that nobody keeps another out (docs/adr/0019).

They are counted before the work that they ask for, and given back where they succeed. All counters of an attempt are one
decision and one commit: of many at once, no more go on than there is room for. Who an account belongs to is not asked: one
that there is not is counted as any other.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from tillflow.contexts.identity import tables
from tillflow.errors import TooMany, Unavailable
from tillflow.messaging.envelope import Cause
from tillflow.runtime.config import number
from tillflow.storage import database
from tillflow.storage.again import Moved, again
from tillflow.storage.commit import Commit, always, unchanged
from tillflow.storage.tables import Key
from tillflow.values import clock
from tillflow.values.throttle import Backoff, Bucket, Full, Limit

_MINUTE, _HOUR = 60, 60 * 60
# An IPv6 customer has a network of at least so many bits to itself (RFC 6177).
_CUSTOMER_BITS = 64


class TooManyAttempts(TooMany):
    """Too many attempts: wait as long as `Retry-After` says."""

    code = "TOO_MANY_ATTEMPTS"
    title = "Too many attempts"


@dataclass(frozen=True, slots=True)
class _Counter:
    key: Key
    limit: Limit


@dataclass(frozen=True, slots=True)
class Taken:
    """An attempt that was counted."""

    counters: Sequence[_Counter]

    def give_back(self) -> None:
        """Count it no more: it succeeded. What cannot be given back now runs out by itself."""
        now, commit = clock.milliseconds(clock.now()), _commit()
        for counter in self.counters:
            change, add = counter.limit.given_back(now)
            commit.update(tables.identity(), counter.key, change=change, add=add, when=always(), otherwise=lambda _: Moved())
        with suppress(Unavailable):
            commit.write()


def login(account: str, address: str, device: str | None) -> Taken:
    """
    Count a guess at the password of *account* (a folded mail address) from *address*.

    A *device* that has logged in to the account before (`devices.known`) is counted by itself alone: what strangers try, from
    whichever address, does not keep it out.

    Raises:
        TooManyAttempts: there were too many, from the address, against the account, or from the one against the other.
    """
    who = _digest(account)
    if device:
        return _take(_Counter(tables.rate_key("device", f"{who}:{device}"), Backoff()))
    limit = Bucket(number("LOGIN_ATTEMPTS_PER_ACCOUNT", 50), _HOUR)
    return _take(
        _by_address(address),
        _Counter(tables.rate_key("pair", f"{who}:{_network(address)}"), Backoff()),
        _Counter(tables.rate_key("account", who), limit),
    )


def second_factor(user_id: str, device: str | None) -> Taken:
    """
    Count a guess at a user's second factor. Only who has shown their password comes so far.

    A *device* that has logged in before is counted by itself alone, as in `login`: who has stolen the password keeps nobody out.

    Raises:
        TooManyAttempts: there were too many.
    """
    return _take(_Counter(tables.rate_key("factor", f"{user_id}:{device}" if device else user_id), Backoff()))


def by_address(address: str) -> None:
    """
    Count a request from *address* that anybody may send, and that costs much.

    Raises:
        TooManyAttempts: there were too many from there.
    """
    _take(_by_address(address))


def may_mail(what: str, account: str) -> bool:
    """
    Count a mail of this kind to *account* (a folded mail address), and tell whether it may be sent: no mailbox is filled.

    Each kind is counted for itself: who has an address told of registrations keeps nobody from a new password.
    """
    limit = Bucket(number("MAILS_PER_ADDRESS", 5), _HOUR)
    try:
        _take(_Counter(tables.rate_key("mail", f"{what}:{_digest(account)}"), limit))
    except TooManyAttempts:
        return False
    return True


def _by_address(address: str) -> _Counter:
    limit = Bucket(number("LOGIN_ATTEMPTS_PER_ADDRESS", 30), _MINUTE)
    return _Counter(tables.rate_key("ip", _network(address)), limit)


def _take(*counters: _Counter) -> Taken:
    again(lambda: _try(counters), "Too many try this at once. Send the same request again.")
    return Taken(counters)


def _try(counters: Sequence[_Counter]) -> None:
    found = list(database.batch(tables.identity(), [each.key for each in counters]))
    now, commit, waits = clock.milliseconds(clock.now()), _commit(), [0]
    for counter in counters:
        kept = next((item for item in found if counter.key.items() <= item.items()), None)
        try:
            change = counter.limit.taken(kept, now)
        except Full as full:
            waits.append(full.wait)
            continue
        commit.update(tables.identity(), counter.key, change=change, when=unchanged(kept, change), otherwise=lambda _: Moved())
    if longest := max(waits):
        seconds = -(-longest // 1000)
        raise TooManyAttempts(f"Too many attempts. Wait {seconds} s, then try again.", retry_after=seconds)
    commit.write()


def _commit() -> Commit:
    return Commit(Cause("anonymous", (), ""))


def _digest(account: str) -> str:
    # No list of who tries to log in is kept, only of how often.
    return hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest()


def _network(address: str) -> str:
    """Return what *address* is counted under: itself, or the network that an IPv6 customer has."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address  # API Gateway's console tests with a word in its place
    if isinstance(known, ipaddress.IPv4Address):
        return address
    return str(known.ipv4_mapped or ipaddress.ip_network((known, _CUSTOMER_BITS), strict=False))
