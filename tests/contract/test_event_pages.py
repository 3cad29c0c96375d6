"""The page of events (docs/events.md) is what the schemas and the functions that make events say."""

import pytest
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped] # it ships no types

from local.docs import events
from local.docs.schemas import EVENTS, schema_of


def test_the_committed_page_is_in_step_with_the_events() -> None:
    assert events.PATH.read_text() == events.text(), "an event has changed: run `make docs`"


@pytest.mark.parametrize("event_type", EVENTS)
def test_the_example_of_an_event_fits_its_schema(event_type: str) -> None:
    validator = Draft202012Validator(schema_of(event_type), format_checker=FormatChecker())

    assert [error.message for error in validator.iter_errors(events.example(event_type))] == []


@pytest.mark.parametrize("event_type", EVENTS)
def test_an_event_names_the_source_that_it_has_on_the_bus(event_type: str) -> None:
    section = events.text().partition(f"\n## {event_type}\n")[2].partition("\n## ")[0]

    assert section.count("Source: `tillflow.") == 1
