"""`make tail`: what is shown of an event."""

from datetime import UTC, datetime
from typing import Any

from tillflow_client import Event

from local.watch import tail

AT = datetime(2026, 2, 10, 12, 34, 56, 789_000, UTC)


def shown(payload: Any, *, erased: bool = False) -> str:
    event = Event(
        event_id="e-1",
        event_type="order.shipped",
        event_version=1,
        producer_id="tillflow.orders",
        occurred_at=AT,
        received_at=AT,
        payload=payload,
        delivery_count=1,
        replayed=False,
        erased=erased,
    )
    return tail.line(event).plain


def test_an_event_is_one_line() -> None:
    assert shown({"order": 7, "note": "[red]two\nlines"}) == (
        '12:34:56.789 order.shipped tillflow.orders e-1 {"order": 7, "note": "[red]two\\nlines"}'
    )


def test_a_long_payload_is_cut() -> None:
    assert len(shown({"text": "x" * 10_000})) < 260


def test_what_was_erased_is_said_to_be() -> None:
    assert shown(None, erased=True).endswith("e-1 (erased)")


def test_what_a_producer_wrote_does_not_steer_the_terminal() -> None:
    assert "\x1b" not in shown({"text": "\x1b[2J"})
