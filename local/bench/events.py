"""
bench-events: producers and a consumer at once over HTTP, on an emulator of their own: how many events, and how long each takes.

Seconds here are the emulator's and the machine's more than ours. So the emulator's floor, an empty function, is measured in
the same run. Every event that was accepted must come to the consumer, or the run fails.
"""

import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

import httpx
from rich.table import Table

from local import STATE, LocalError
from local.bench import floor, plots, report
from local.bench.floor import Floor
from local.platform import emulator
from local.platform.deploy import deploy
from local.platform.stack import Stack
from local.process import step
from local.shop.client import TIMEOUT_SECONDS, connect

# How many producers at once; and how many events one sends with a request, where it sends more than one.
CROWDS = (1, 2, 4, 8)
BATCH = 50
POLLERS = 2
TYPE = "bench.sent"
# Starting a function takes the emulator a second of CPU: those that run are kept to the end. No producer is to be slowed down.
SETTINGS = {"LAMBDA_WARM_TTL_SECONDS": "900"}
PARAMETERS = {"EventsPerSecond": "10000"}
SECONDS = 120


@dataclass
class Run:
    """*sent* events, by their ids, of so many producers; and the seconds from each one's request to its fetch."""

    producers: int
    sent: set[str] = field(default_factory=set)
    seconds: dict[str, float] = field(default_factory=dict)
    accepted_in: float = 0.0
    delivered_in: float = 0.0

    @property
    def accepted(self) -> float:
        """Events accepted a second."""
        return len(self.sent) / self.accepted_in

    @property
    def delivered(self) -> float:
        """Events fetched a second, from the first request on."""
        return len(self.sent) / self.delivered_in

    def percentile(self, percent: int) -> float:
        """Return the seconds within which so many percent of the events were fetched."""
        return quantiles(self.seconds.values(), n=100)[percent - 1]


@dataclass(frozen=True)
class Measured:
    """What a crowd did, one event a request and many, and the emulator's floor for as many callers."""

    alone: Run
    batched: Run
    floor: Floor


def run(events: int) -> None:
    """
    Measure crowds of several sizes, each sending *events*, alone and in batches; write the section and its plot.

    Raises:
        LocalError: an event that was accepted did not come.
    """
    state = STATE / "bench" / "events"
    try:
        stack = deploy(emulator.start(state, settings=SETTINGS).endpoint, state, PARAMETERS)
        url = floor.deploy(stack.aws)
        bench = Bench(stack)
        bench.send(max(CROWDS), BATCH * max(CROWDS), 1)  # The first start functions.
        measured = []
        for size in CROWDS:
            with step(f"{2 * events} events of {size} producers"):
                alone, batched = bench.send(size, events, 1), bench.send(size, events, BATCH)
                measured.append(Measured(alone, batched, floor.measure(url, size)))
        bench.close()
    finally:
        emulator.stop(state)
    shutil.rmtree(state)
    made = _table(measured)
    report.show(made)
    _plot(measured)
    report.write(
        "events",
        report.prose(_told(measured)),
        report.markdown(made),
        report.picture("events", "Events a second, and seconds from request to fetch"),
    )


class Bench:
    """Producers, each with a key, and one consumer of all that they send."""

    def __init__(self, stack: Stack) -> None:
        token = connect(stack.api_url, {"X-Service-Token": stack.service_token}).issue_token("an-admin", ["admin"])
        self._http = httpx.Client(base_url=stack.api_url, timeout=TIMEOUT_SECONDS)
        self._service, admin = {"X-Service-Token": stack.service_token}, {"Authorization": f"Bearer {token}"}
        producers = [self._ask("POST", "/api/v1/producers", admin, {"name": f"Bench {each}"}) for each in range(max(CROWDS))]
        self._keys = [{"X-Api-Key": each["api_key"]} for each in producers]
        wanted = {"name": "A bench", "subscribed_event_types": [TYPE]}
        self._consumer = f"/api/v1/consumers/{self._ask('POST', '/api/v1/consumers', self._service, wanted)['consumer_id']}"

    def send(self, producers: int, events: int, batch: int) -> Run:
        """Have so many producers send *events* in all, and the consumer fetch them."""
        run, over = Run(producers), threading.Event()
        began = time.time()

        def produce(key: dict[str, str]) -> None:
            for _ in range(events // producers // batch):
                run.sent.update(self._post(key, batch))

        with ThreadPoolExecutor(producers + POLLERS) as threads:
            polls = [threads.submit(self._poll, run, str(each), over) for each in range(POLLERS)]
            list(threads.map(produce, self._keys[:producers]))
            run.accepted_in = time.time() - began
            try:
                self._wait(lambda: run.sent <= run.seconds.keys())
            finally:
                over.set()
            run.delivered_in = time.time() - began
            for poll in polls:
                poll.result()
        return run

    def close(self) -> None:
        """Delete the consumer."""
        self._ask("DELETE", self._consumer, self._service)

    def _post(self, key: dict[str, str], batch: int) -> list[str]:
        event = {"event_type": TYPE, "event_version": 1, "payload": {"sent": time.time()}}
        if batch == 1:
            return [self._ask("POST", "/api/v1/events", key, event)["event_id"]]
        results = self._ask("POST", "/api/v1/events/batch", key, {"events": [event] * batch})["results"]
        return [each["event_id"] for each in results]

    def _poll(self, run: Run, name: str, over: threading.Event) -> None:
        """Fetch, acknowledging with each fetch what the one before returned, until it is over."""
        while not over.is_set():
            answer = self._ask("GET", f"{self._consumer}/events?limit=100&wait=2&poller={name}", self._service)
            now = time.time()
            for each in answer["events"]:
                run.seconds.setdefault(each["event_id"], now - each["payload"]["sent"])
        self._ask("GET", f"{self._consumer}/events?limit=1&poller={name}", self._service)

    @staticmethod
    def _wait(is_so: Callable[[], bool]) -> None:
        until = time.monotonic() + SECONDS
        while not is_so():
            if time.monotonic() > until:
                raise LocalError("events that were accepted did not come to their consumer")
            time.sleep(0.05)

    def _ask(self, method: str, path: str, headers: dict[str, str], body: object = None) -> dict[str, Any]:
        response = self._http.request(method, path, headers=headers, json=body)
        response.raise_for_status()
        return dict(response.json()) if response.content else {}


def _table(measured: list[Measured]) -> Table:
    made = report.table(
        "producers at once", "alone: accepted/s", "delivered/s", "s to fetch, p50", "p95",
        f"by {BATCH}: accepted/s", "delivered/s", "s to fetch, p50", "p95", "floor: requests/s", "s, p50",
    )  # fmt: skip
    for each in measured:
        figures = [
            figure
            for run in (each.alone, each.batched)
            for figure in (
                f"{run.accepted:.0f}",
                f"{run.delivered:.0f}",
                f"{run.percentile(50):.2f}",
                f"{run.percentile(95):.2f}",
            )
        ]
        made.add_row(str(each.alone.producers), *figures, f"{each.floor.rate:.0f}", f"{each.floor.seconds:.3f}")
    return made


def _told(measured: list[Measured]) -> str:
    events = sum(len(each.alone.sent) + len(each.batched.sent) for each in measured)
    return (
        f"{events} events over HTTP on a freshly deployed emulator, sent one by one and {BATCH} at once, into one consumer with"
        f" {POLLERS} pollers that acknowledge with each fetch. A producer waits for its answer before its next request; *seconds"
        " to fetch* are from a request to the answer that has its event. Each accepted event came. The router waits up to a"
        " second to have more events at once, as on AWS. The floor is an empty function behind the same kind of API, for as many"
        " callers, in the same run: an event alone takes it two functions (the authorizer, and what accepts it), and a third"
        " routes it."
    )


def _plot(measured: list[Measured]) -> None:
    rates = {
        "empty requests (the floor)": ([each.floor.rate for each in measured], "C7-"),
        f"by {BATCH}, accepted": ([each.batched.accepted for each in measured], "C1-"),
        f"by {BATCH}, delivered": ([each.batched.delivered for each in measured], "C1--"),
        "alone, accepted": ([each.alone.accepted for each in measured], "C0-"),
        "alone, delivered": ([each.alone.delivered for each in measured], "C0--"),
    }
    seconds = {
        f"by {BATCH}, p95": ([each.batched.percentile(95) for each in measured], "C1--"),
        f"by {BATCH}, p50": ([each.batched.percentile(50) for each in measured], "C1-"),
        "alone, p95": ([each.alone.percentile(95) for each in measured], "C0--"),
        "alone, p50": ([each.alone.percentile(50) for each in measured], "C0-"),
        "empty request, p50 (the floor)": ([each.floor.seconds for each in measured], "C7-"),
    }
    producers = [each.alone.producers for each in measured]
    panels = {"per second (log)": rates, "seconds from request to fetch (log)": seconds}
    plots.curves("events", "Events, on the emulator", "producers at once (log)", producers, panels)
