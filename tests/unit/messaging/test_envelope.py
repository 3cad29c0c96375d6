"""The envelope: exactly the contract's fields, packed small, unpacked the same."""

import zlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tillflow.messaging.envelope import Cause, Event, NotAnEnvelope, check, seal
from tillflow.messaging.packing import EventTooLarge, pack, unpack
from tillflow.values import ids, jsontext

AT = datetime(2026, 2, 10, 12, 34, 56, tzinfo=UTC)
TRACE = "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11"
CAUSE = Cause("user-1", ("buyer", "seller"), TRACE, AT)


def test_an_envelope_has_the_contract_s_fields() -> None:
    envelope = seal(Event("tillflow.orders", "OrderCreated", {"order_id": "o"}), CAUSE)

    assert ids.is_uuid(envelope.pop("event_id"))
    assert envelope == {
        "event_type": "OrderCreated",
        "occurred_at": "2026-02-10T12:34:56.000Z",
        "trace_id": TRACE,
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

    assert (went_on.user_id, went_on.roles, went_on.trace_id, went_on.since) == (
        "user-1",
        ("buyer", "seller"),
        "7f2f0c1e-3b7a-4a55-8a5e-0d6f5e2f9c11",
        AT,
    )
    assert went_on.at > AT


SEALED = seal(Event("tillflow.orders", "OrderCreated", {"order_id": "o"}), CAUSE)


def test_what_we_seal_is_an_envelope() -> None:
    assert check(jsontext.loads(jsontext.dumps(SEALED))) == SEALED


@pytest.mark.parametrize("user_id", ["u", "x" * 128, "zoë\u00a0🛒", " "])
def test_whoever_a_token_may_name_an_envelope_may_name(user_id: str) -> None:
    assert check(SEALED | {"identity": {"user_id": user_id, "roles": []}})


@pytest.mark.parametrize("field", SEALED)
def test_an_envelope_that_lacks_a_field_is_none(field: str) -> None:
    with pytest.raises(NotAnEnvelope, match=field):
        check({name: value for name, value in SEALED.items() if name != field})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", "e-1"),
        ("event_id", 7),
        ("event_type", ""),
        ("event_type", "x" * 129),
        ("event_type", "Order Created"),
        ("occurred_at", "yesterday"),
        ("occurred_at", 1770726896),
        ("occurred_at", "2026-02-10"),
        ("occurred_at", "2026-W07-2"),
        ("occurred_at", "2026-02-10T12:34:56"),
        ("occurred_at", "2026-02-10T12:34:56+05:00"),
        ("occurred_at", "2026-02-10\n12:34:56Z"),
        ("occurred_at", "2026-02-10T12:34:56Z\n"),
        ("occurred_at", "2026-02-30T12:34:56Z"),
        ("occurred_at", f"2026-02-10T12:34:56.{'0' * 100}Z"),
        ("occurred_at", "0001-01-01T00:00:00+01:00"),
        ("trace_id", "t-1"),
        ("trace_id", None),
        ("identity", "user-1"),
        ("identity", {"user_id": 1.5, "roles": []}),
        ("identity", {"user_id": "", "roles": []}),
        ("identity", {"user_id": "x" * 129, "roles": []}),
        ("identity", {"user_id": "a\nb", "roles": []}),
        ("identity", {"user_id": "\ud800", "roles": []}),
        ("identity", {"user_id": "u", "roles": "buyer"}),
        ("identity", {"user_id": "u", "roles": [1]}),
        ("identity", {"user_id": "u", "roles": ["x" * 129]}),
        ("identity", {"user_id": "u", "roles": ["buyer"] * 17}),
        ("identity", {"user_id": "u"}),
        ("data", []),
        ("data", None),
        ("version", 2),
        ("version", True),
        ("version", "1"),
        ("version", Decimal("1.0")),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_field_that_is_not_as_the_contract_has_it_is_named(field: str, value: object) -> None:
    with pytest.raises(NotAnEnvelope, match=field):
        check(SEALED | {field: value})


@pytest.mark.parametrize("other", [None, [], "text", 1], ids=repr)
def test_what_is_no_object_is_no_envelope(other: object) -> None:
    with pytest.raises(NotAnEnvelope):
        check(other)


def _packed(*entries: object) -> bytes:
    return zlib.compress(jsontext.dumps(list(entries)).encode())


DETAIL = jsontext.dumps(SEALED)
UNREADABLE = {
    "no bytes": b"",
    "junk": b"junk",
    "cut off": pack([Event("tillflow.orders", "A", {})], CAUSE)[:-9],
    "more than an item holds": zlib.compress(b" " * 2_000_000),
    "no JSON": zlib.compress(b"junk"),
    "not UTF-8": zlib.compress(b"\xff"),
    "nested too deep": zlib.compress(b"[" * 200_000),
    "no list": zlib.compress(b"1"),
    "no entries": _packed(1),
    "two parts": _packed(["tillflow.orders", "OrderCreated"]),
    "no detail": _packed(["tillflow.orders", "OrderCreated", 7]),
    "no source": _packed(["", "OrderCreated", DETAIL]),
    "no envelope": _packed(["tillflow.orders", "OrderCreated", "{}"]),
    "detail is no JSON": _packed(["tillflow.orders", "OrderCreated", "junk"]),
    "another type": _packed(["tillflow.orders", "OrderPlaced", DETAIL]),
    "too large": _packed(["tillflow.orders", "OrderCreated", jsontext.dumps(SEALED | {"data": {"x": "x" * 240_000}})]),
}


@pytest.mark.parametrize("outbox", UNREADABLE.values(), ids=UNREADABLE)
def test_an_outbox_that_nobody_packed_is_told_from_one_that_somebody_did(outbox: bytes) -> None:
    with pytest.raises(NotAnEnvelope):
        unpack(outbox)


def test_what_would_not_be_unpacked_is_not_packed() -> None:
    wide = Event("tillflow.orders", "OrderCreated", {"text": '"' * 110_000})
    assert unpack(pack([wide], CAUSE))

    with pytest.raises(EventTooLarge, match="one commit"):
        pack([wide] * 3, CAUSE)
