"""Indexes of events: whatever is written how often, in whatever company and order, is listed once, in order, from any place."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world import running
from tillflow.contexts.eventflow import pages, tables
from tillflow.contexts.eventflow.pages import Entry
from tillflow.values import clock, ids

START = clock.milliseconds(clock.now()) - 3 * 24 * 60 * 60 * 1000
AFTER = (0, 1, 999, 1_000, 1_001, 59_000, 86_400_000, 86_400_001, 172_800_000)
# Few moments, types and producers: seconds are shared, and so are days.
ENTRIES = st.builds(
    Entry,
    st.sampled_from(AFTER).map(lambda at: clock.iso(clock.from_milliseconds(START + at))),
    st.integers(0, 40).map(lambda number: ids.derived("event", str(number))),
    st.integers(0, 2).map(lambda kind: f"type.{kind}"),
    st.integers(0, 1).map(lambda producer: f"producer-{producer}"),
    st.just(1),
)
BATCHES = st.lists(st.tuples(st.lists(ENTRIES, max_size=8), st.booleans()), max_size=8)


@settings(max_examples=150, deadline=None)
@given(batches=BATCHES, data=st.data())
def test_what_is_entered_is_listed_once_in_order(batches: list[tuple[list[Entry], bool]], data: st.DataObject) -> None:
    with running():
        known: dict[str, Entry] = {}
        for batch, another_process in batches:
            # An event is as it was received first, whoever enters it again.
            entered = [known.setdefault(entry.event_id, entry) for entry in batch]
            if another_process:
                pages.forget()
            pages.enter(entered)
        events = sorted(known.values())
        descending = data.draw(st.booleans())
        ends = st.sampled_from([clock.EARLIEST, clock.LATEST, *(entry.received_at for entry in events)])
        since, until = sorted(data.draw(st.tuples(ends, ends)))

        for of, mine in (
            (tables.ALL, events),
            *((tables.of_type(f"type.{kind}"), [e for e in events if e.event_type == f"type.{kind}"]) for kind in range(3)),
            (tables.of_producer("producer-1"), [e for e in events if e.producer_id == "producer-1"]),
        ):
            expected = [e for e in mine if since <= e.received_at <= until]
            expected = expected[::-1] if descending else expected
            assert list(pages.listed(of, since, until, descending=descending)) == expected
            if expected:
                place = data.draw(st.integers(0, len(expected) - 1))
                rest = list(pages.listed(of, since, until, descending=descending, after=expected[place]))
                assert rest == expected[place + 1 :]
