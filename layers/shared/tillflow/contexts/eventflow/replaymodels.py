"""Requests about replays."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from tillflow.contexts.eventflow.consumermodels import AnyTypes
from tillflow.web.validation import Body, Written

MAX_RATE = 1_000


class CreateReplay(Body):
    """
    Which of the stored events are sent to the consumer again: those that it wants, received within [*from*, *to*] (until now).

    *event_types* narrows that further, in the words of a subscription (none: it does not). *dead_only*: its
    dead letters, by when they died, all of them where *from* is left out. *dry_run* only counts. *rate*: events a second.
    """

    since: Annotated[Written | None, Field(alias="from")] = None
    until: Annotated[Written | None, Field(alias="to")] = None
    event_types: AnyTypes | None = None
    dead_only: bool = False
    dry_run: bool = False
    rate: Annotated[int, Field(ge=1, le=MAX_RATE)] = 100

    @model_validator(mode="after")
    def _has_a_window(self) -> Self:
        if self.since is None and not self.dead_only:
            raise ValueError("from: say since when; events are kept for 90 days")
        if self.since and self.until and self.until < self.since:
            raise ValueError("the window ends before it begins")
        return self
