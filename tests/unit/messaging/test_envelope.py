"""The envelope: exactly the contract's fields, packed small, unpacked the same."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tillflow.messaging.envelope import Cause, Event, pack, seal, unpack
from tillflow.values import ids, jsontext

AT = datetime(2026, 2, 10, 12, 34, 56, tzinfo=UTC)
CAUSE = Cause("user-1", ("buyer", "seller"), "trace-1", AT)


def test_an_envelope_has_the_contract_s_fields() -> None:
    envelope = seal(Event("tillflow.orders", "OrderCreated", {"order_id": "o"}), CAUSE)

    assert ids.is_uuid(envelope.pop("event_id"))
    assert envelope == {
        "event_type": "OrderCreated",
        "occurred_at": "2026-02-10T12:34:56.000Z",
        "trace_id": "trace-1",
        "identity": {"user_id": "user-1", "roles": ["buyer", "seller"]},
        "data": {"order_id": "o"},
        "version": 1,
    }


def test_every_event_has_an_id_of_its_own() -> None:
    event = Event("tillflow.orders", "OrderCreated", {})

    assert seal(event, CAUSE)["event_id"] != seal(event, CAUSE)["event_id"]


def test_what_was_packed_is_unpacked_in_order_and_digit_for_digit() -> None:
    events = [Event("tillflow.orders", "A", {"price": Decimal("19.90"), "text": "é🛒\u2028"}), Event("tillflow.stock", "B", {})]

    first, second = unpack(pack(events, CAUSE))

    assert first[:2] == ("tillflow.orders", "A")
    assert '"price":19.90' in first[2]
    assert jsontext.loads(first[2])["data"]["text"] == "é🛒\u2028"
    assert second[:2] == ("tillflow.stock", "B")


def test_a_cause_goes_on_from_an_envelope() -> None:
    """The same person, the same trace, from now on, since then."""
    envelope = seal(Event("tillflow.orders", "A", {}), CAUSE)

    went_on = Cause.of_envelope(envelope)

    assert (went_on.user_id, went_on.roles, went_on.trace_id, went_on.since) == ("user-1", ("buyer", "seller"), "trace-1", AT)
    assert went_on.at > AT


@pytest.mark.parametrize("missing", ["identity", "trace_id", "occurred_at"])
def test_an_envelope_that_lacks_a_field_has_no_cause(missing: str) -> None:
    envelope = seal(Event("tillflow.orders", "A", {}), CAUSE)
    del envelope[missing]

    with pytest.raises(KeyError):
        Cause.of_envelope(envelope)
