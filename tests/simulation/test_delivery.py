"""Events of many producers into several consumers, while everything fails that may: none is lost (`make deliver`)."""

from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.simulation import mishaps
from tests.simulation.bugs import Bug
from tests.simulation.delivering import Run
from tests.simulation.delivery import place, show
from tests.world import handler
from tillflow.contexts.eventflow import fetching, launching, leases, queues, registry, routing, subscribers, tending

EVENTS, SEEDS = 400, (1, 2)
SEEDS_FOR_A_BUG = 4
type Opened = Callable[..., Run]


@pytest.fixture(scope="module")
def opened() -> Iterator[Opened]:
    with place() as made:
        yield made


def test_every_event_comes_to_whoever_wants_it(opened: Opened) -> None:
    befell = sum((opened(seed, EVENTS).run().kinds for seed in SEEDS), start=Counter[str]())

    for kind in (
        mishaps.KILLED,
        mishaps.DIES,
        mishaps.THROTTLED,
        mishaps.PARTLY,
        mishaps.LOST_ACK,
        mishaps.DELETED,
        *mishaps.CARRIED.values(),
    ):
        assert befell[kind], f"{kind}: it never did"


def test_the_same_seed_is_the_same_run(opened: Opened) -> None:
    first, second = (list(opened(7, 60).run().report()) for _ in range(2))

    assert first == second


BUGS = [
    Bug("whoever becomes a consumer is not seen", subscribers, "now", " or _known[0][0] != version", ""),
    Bug(
        "what a queue did not take is taken for sent",
        routing,
        "_send",
        "left |= {each.event_id for each in queues.send(consumer, wanted)}",
        "queues.send(consumer, wanted)",
    ),
    Bug("a consumer gets what only begins like what it wants", registry, "fits", "each[:-1]", "each[:-2]"),
    Bug(
        "an event is acknowledged before it is handled",
        fetching,
        "fetch",
        "    answer: dict",
        "    queues.acknowledge(consumer, [each.receipt for each in taken.held])\n    answer: dict",
    ),
    Bug("a queue that was made again stays empty", tending, "_mend", "begin_from(commit", "begin_from(Commit(cause)"),
    Bug(
        "what is routed during a registration is in no replay",
        launching,
        "begin_from",
        "clock.iso(clock.now() + _COMMITTED_WITHIN)",
        "now",
    ),
    Bug("an ack is certain whatever SQS says", leases, "_status", "failure is None", "done"),
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_a_bug_is_found(opened: Opened, monkeypatch: pytest.MonkeyPatch, bug: Bug) -> None:
    bug.put(monkeypatch)
    try:
        found = any(_fails(opened(seed, EVENTS // 4)) for seed in range(1, SEEDS_FOR_A_BUG + 1))
    finally:
        handler.cache_clear()

    assert found


def test_a_failure_tells_how_to_see_it_again(
    opened: Opened, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(queues, "send", lambda *_: [])

    assert show(opened(5, 30)) == 1
    assert "never came to cash\nshow it again: make deliver EVENTS=30 SEED=5\n" in capsys.readouterr().out


def _fails(run: Run) -> bool:
    try:
        run.run()
    except AssertionError:
        return True
    return False
