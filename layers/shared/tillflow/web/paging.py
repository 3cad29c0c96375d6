"""
Where a list goes on: `next_token`, opaque to clients.

A token is a place in one list, and a digest of the place and of what the list is: whose, and which. It gives no right
(docs/adr/0010): whoever brings one is checked as on the first page, and reads what they may read without it.
"""

import hashlib
import json
from collections.abc import Callable, Sequence

from tillflow.errors import Invalid
from tillflow.values import base64url

# Room for two keys of some length, and their encoding.
MAX_TOKEN_LENGTH = 1024


class InvalidToken(Invalid):
    """The `next_token` is of another list (another user's, or with other filters), or is none of ours."""

    code = "INVALID_NEXT_TOKEN"
    title = "Invalid next_token"


class InvalidPlace(InvalidToken):
    """The `next_token` is of another list or of none (contracts: stock-events.md and eventflow.md, 400)."""

    status = 400
    detail = "invalid payload"


def token(place: Sequence[str], of: Sequence[str | None]) -> str:
    """Return the token of a *place* (the keys of the last item that was read) in the list *of* these words."""
    digest = hashlib.sha256(json.dumps([*place, *of]).encode()).hexdigest()[:32]
    return base64url.encode("\n".join([digest, *place]).encode())


def place_of(sent: str, of: Sequence[str | None], *, refusal: type[InvalidToken] = InvalidToken) -> list[str]:
    """
    Return the place that a client's token says, in the list *of* these words.

    Anybody can compute a token: a place is to be checked as any input.

    Raises:
        InvalidToken: it is another list's, or was changed; a contract of its own has a *refusal* of its own.
    """
    try:
        _, *place = base64url.decode(sent).decode().split("\n")
    except ValueError:
        raise spoiled(refusal) from None
    if token(place, of) != sent:
        raise spoiled(refusal)
    return place


def name_of(
    sent: str, of: Sequence[str | None], *, low: str = "", high: str = "\U0010ffff", refusal: type[InvalidToken] = InvalidToken
) -> str:
    """Return the place where it is one name that lies within [*low*, *high*], as DynamoDB's bounds do; else as `place_of`."""
    match place_of(sent, of, refusal=refusal):
        case [name] if low <= name <= high:
            return name
    raise spoiled(refusal)


def cut[T](
    entries: Sequence[T], limit: int, of: Sequence[str | None], name: Callable[[T], str]
) -> tuple[Sequence[T], str | None]:
    """Return *limit* of the *entries* that were read (one more, if there is any), and the token of what comes behind them."""
    shown = entries[:limit]
    return shown, token((name(shown[-1]),), of) if len(entries) > limit else None


def spoiled(refusal: type[InvalidToken] = InvalidToken) -> InvalidToken:
    """Return the refusal of a token."""
    return refusal("This next_token is of another list. Keep user, filters and sort while you page, or begin without it.")
