"""
Pages of a list that has a page's number for its beginning and a token for all of it.

A numbered page reads the list up to 1,000, and so knows how many there are up to there. A token says where the page before
ended and what was counted then: its page reads no more than itself, however deep.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import Field, ValidationInfo, field_validator

from tillflow.web import paging
from tillflow.web.paging import MAX_TOKEN_LENGTH, InvalidPlace
from tillflow.web.validation import Query

MAX_SIZE = 100
# How far a list is counted, and reached by a page's number.
MAX_NUMBERED = 1_000
_COUNT = re.compile(r"[0-9]{1,9}")

# A list's member under the name that orders the list: names are ASCII, each is of one member.
type Named[T] = tuple[str, T]


class PageQuery(Query):
    """Pages are counted from 0 and reach as far as the 1,000th; *next_token*, from the page before, goes on to the last."""

    size: Annotated[int, Field(ge=1, le=MAX_SIZE)] = 20
    page: Annotated[int, Field(ge=0, le=MAX_NUMBERED)] = 0
    next_token: Annotated[str, Field(max_length=MAX_TOKEN_LENGTH)] | None = None

    @field_validator("page")
    @classmethod
    def _within_reach(cls, page: int, known: ValidationInfo) -> int:
        if page * known.data.get("size", 1) >= MAX_NUMBERED:
            raise ValueError(f"numbered pages end at the {MAX_NUMBERED:,}th; go on with the next_token of the page before")
        return page

    @field_validator("next_token")
    @classmethod
    def _alone(cls, token: str | None, known: ValidationInfo) -> str | None:
        if token is not None and known.data.get("page"):
            raise ValueError("a token has its place already; leave page out")
        return token


class Question(Protocol):
    """What is asked for: a page of *size*, by its number (from 0) or by its *next_token*."""

    page: int
    size: int
    next_token: str | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: behind *after*, as page number *page* of a list in which *total* were counted."""

    after: str
    page: int
    total: int


def page_of[T](
    question: Question,
    *,
    of: Sequence[str | None],
    read: Callable[[str, int], list[Named[T]]],
    show: Callable[[list[T]], list[dict[str, Any]]],
    count: Callable[[], int] | None = None,
) -> dict[str, Any]:
    """
    Return the page that is asked for: `{content, page, size, totalElements, totalRelation, totalPages, next_token}`.

    *read* returns up to so many of the list's members from behind a name on, and *show* returns them as they are answered.
    *count*, where it costs less than reading, returns how many there are (up to one more than 1,000), after *read* has read
    a page. *of* says which list it is, filters and all.

    Raises:
        InvalidPlace: the token is none of this list's.
    """
    if question.next_token is None:
        first = question.page * question.size
        end = first + question.size + 1
        known = read("", end if count else max(MAX_NUMBERED + 1, end))
        place, found = _Place("", question.page, count() if count else len(known)), known[first:end]
    else:
        place = _place_of(question.next_token, of)
        found = read(place.after, question.size + 1)
    shown = found[: question.size]
    counted = min(place.total, MAX_NUMBERED)
    return {
        "content": show([member for _, member in shown]),
        "page": place.page,
        "size": question.size,
        "totalElements": counted,
        "totalRelation": "gte" if place.total > counted else "eq",
        "totalPages": -(-counted // question.size),
        "next_token": _token(_Place(shown[-1][0], place.page + 1, place.total), of) if len(found) > len(shown) else None,
    }


def _token(place: _Place, of: Sequence[str | None]) -> str:
    return paging.token([place.after, str(place.page), str(place.total)], of)


def _place_of(sent: str, of: Sequence[str | None]) -> _Place:
    match paging.place_of(sent, of, refusal=InvalidPlace):
        # Any text is a place: one that is not ours has other members behind it.
        case [after, page, total] if after.isascii() and _COUNT.fullmatch(page) and _COUNT.fullmatch(total):
            return _Place(after, int(page), int(total))
    raise paging.spoiled(InvalidPlace)
