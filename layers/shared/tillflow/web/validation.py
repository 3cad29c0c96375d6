"""The bases of our pydantic models, and what one found wrong, in words a client can act on."""

import re
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.config import JsonDict
from pydantic_core import ErrorDetails

from tillflow.values import clock

# What identifiers are made of, and what names and texts are.
VISIBLE = r"^[\x21-\x7e]+$"
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
# A name that can be told from another by looking: at its ends nobody overlooks a space, or what only looks like one.
_SEEN = r"[^\s\x00-\x1f\x7f\u00ad\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0]"
NAMED = rf"^{_SEEN}([^\x00-\x1f\x7f]*{_SEEN})?$"

_TOLD = 3
_LONGEST_NAME = 64
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")
# pydantic's words for these are Python's, not JSON's.
_WORDS = {
    "dict_type": "Input should be an object",
    "model_type": "Input should be an object",
    "list_type": "Input should be an array",
    "extra_forbidden": "There is no such field",
}
_PATTERN_WORDS = {
    VISIBLE: "String should have visible ASCII characters only, no spaces",
    PRINTABLE: "String should have no control characters",
    NAMED: "String should begin and end with a visible character and have no control characters",
}


class Model(BaseModel):
    """A model whose validator is built when it is first used: of a module's models, a function's start needs few."""

    model_config = ConfigDict(defer_build=True)


class Body(Model):
    """A request's JSON body, in JSON's own types; a field that nobody reads (a misspelled one, say) is refused."""

    model_config = ConfigDict(strict=True, extra="forbid")


class Query(Model):
    """A request's query string, all text; a parameter that nobody reads is refused."""

    model_config = ConfigDict(extra="forbid")


def _date_time(value: object) -> object:
    # pydantic would take a number for the seconds since 1970, or the milliseconds, by its size.
    if not isinstance(value, str) or not _DATE_TIME.match(value):
        raise ValueError(clock.NO_MOMENT)
    return value


type UserId = Annotated[str, Field(min_length=1, max_length=128, pattern=NAMED)]
type Lax[T] = Annotated[T, Field(strict=False)]
# A moment in ISO 8601 with its offset, e.g. `2026-01-31T12:00:00Z`; read as UTC.
type Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_date_time), AfterValidator(clock.utc)]


_SHOWN_AS_MOMENT: JsonDict = {"format": "date-time"}


def _written(text: str) -> str:
    try:
        return clock.iso(clock.parse(text))
    except ValueError as error:
        # In a query string, + means a space.
        raise ValueError(f"{error} (the + of an offset is written %2B)" if " " in text else str(error)) from None


# A moment of a query string, as `clock.iso` writes it.
type Written = Annotated[str, AfterValidator(_written), Field(json_schema_extra=_SHOWN_AS_MOMENT)]


class Window(Query):
    """What lies within [*from*, *to*] (ISO 8601; both ends included); *since* and *until* are as `clock.iso` writes them."""

    since: Annotated[Written, Field(alias="from")] = clock.EARLIEST
    until: Annotated[Written, Field(alias="to")] = clock.LATEST

    @field_validator("until")
    @classmethod
    def _not_before(cls, until: str, known: ValidationInfo) -> str:
        if until < known.data.get("since", until):
            raise ValueError("the window ends before it begins")
        return until


def problems(error: ValidationError) -> str:
    """Return what is wrong, field by field, without repeating the values that were sent (they may be secret)."""
    found = error.errors(include_input=False, include_url=False)
    told = [f"{_name(each) or 'body'}: {_in_words(each)}" for each in found[:_TOLD]]
    more = f" (and {len(found) - _TOLD} more)" if len(found) > _TOLD else ""
    return "; ".join(told) + more


def _name(error: ErrorDetails) -> str:
    # Of a field that there is not, the name is the client's, of any length.
    return ".".join(str(part)[:_LONGEST_NAME] for part in error["loc"])


def _in_words(error: ErrorDetails) -> str:
    pattern = error.get("ctx", {}).get("pattern", "")
    return _WORDS.get(error["type"]) or _PATTERN_WORDS.get(pattern) or error["msg"].removeprefix("Value error, ")
