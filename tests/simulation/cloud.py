"""The stack with the platform around it as it is on a bad day: late, twice, out of order, and several things at once."""

from collections.abc import Callable
from functools import partial
from typing import Any

from tests.faults import passing
from tests.faults.actor import Actor
from tests.faults.machine import Execution
from tests.faults.wire import Call, Fault, Gone, Wire
from tests.faults.world import World
from tests.simulation.carriers import Queues, Streams
from tests.simulation.lambdas import Done, Lambdas, Outcome, running
from tests.simulation.scene import Request
from tests.simulation.scheduler import Scheduler
from tests.simulation.weather import Fate, Weather

_CALL_SECONDS = 0.02
_SLOW_CALL_SECONDS = (0.2, 2.5, 20)
_SLUGGISH = 0.5
_LATE_SECONDS = 120
_PATIENCE_SECONDS = 29  # API Gateway's

type Told = Callable[[dict[str, Any] | None], None]


class Cloud(World):
    """A world whose platform delivers in its own time: `begin` a day, `have` a weather, and let the scheduler run."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self.scheduler = Scheduler()
        wire.pause, wire.plan = self._travel, self._befalls
        self.begin(Fate(0, lambda _: None))

    def begin(self, fate: Fate) -> None:
        """Begin a day: nothing runs, nothing is on its way."""
        self.scheduler.stop()
        self.fate = fate
        # What the functions that run by the clock have answered.
        self.answers: list[tuple[str, Any]] = []
        self.lambdas = Lambdas(self.scheduler, self.invoke, fate)
        self._streams = Streams(self.scheduler, self.lambdas, fate)
        self._queues = Queues(self.scheduler, self.lambdas, fate, self.wiring)
        self.wire.plan, self.wire.later = self._befalls, self._arrive_late

    def have(self, weather: Weather) -> None:
        """Let the weather be so from now on; when it is fair again, dead letters are sent anew."""
        self.fate.weather = weather
        if weather == Weather():
            self._queues.redrive()

    # --- calls

    def _travel(self) -> None:
        """Let a call's time pass; meanwhile others make theirs."""
        invocation = running()
        chance = invocation.dice if invocation else self.fate.dice("outside")
        is_slow = chance.random() < (_SLUGGISH if invocation and invocation.sluggish else self.fate.weather.slow)
        # A slow one is an answer that takes long; now and then it is the process that stands still before it.
        longest = chance.choice(_SLOW_CALL_SECONDS) if is_slow else _CALL_SECONDS
        passing.wait(chance.uniform(0.002, longest))

    def _befalls(self, _number: int, call: Call) -> Fault | None:
        invocation = running()
        if invocation is None:
            return None
        invocation.calls += 1
        label = f"{invocation.label} #{invocation.calls}"
        self.fate.note(f"  {label} {call.function}: {call.operation} {call.target}")
        return self.fate.of_call(label, call, invocation.dice)

    def _arrive_late(self, deliver: Callable[[], object]) -> None:
        label = self.fate.again("late")
        self.scheduler.after(self.fate.dice(label).uniform(0, _LATE_SECONDS), deliver)

    # --- requests

    def request(self, request: Request, label: str, told: Told) -> None:
        """Send *request*; *told* gets the function's answer, or None where none came."""
        chance = self.fate.dice(f"way of {label}")
        if self.fate.astray(f"{label}: the request is lost", chance):
            self.scheduler.after(_PATIENCE_SECONDS, lambda: told(None))
            return
        lost = self.fate.astray(f"{label}: the answer is lost", chance)

        def answered(outcome: Outcome) -> None:
            answer, error = outcome
            self.scheduler.after(chance.uniform(0.01, 0.2), lambda: told(None if error or lost else answer))

        function, event = self.wiring.routes[request.route], request.event(label)
        self.scheduler.after(chance.uniform(0.01, 0.2), lambda: self.lambdas.invoke(function, event, label, answered))

    # --- what was sent

    def hand_to_stream(self, table: str, function: str, record: dict[str, Any]) -> None:
        """Let the stream's reader come by."""
        self._streams.append(table, function, record)

    def hand_to_target(self, target: str, event: dict[str, Any]) -> None:
        """Deliver within a second; astray: much later, twice, or (a start) into the dead letters."""
        name = self.fate.again(f"{event['detail-type']} {event['detail']['event_id'][:8]} to {target}")
        chance = self.fate.dice(f"way of {name}")
        if target in self.wiring.machines and self.fate.astray(f"{name} is lost", chance):
            return
        late = self.fate.astray(f"{name} is late", chance)
        for _ in range(2 if self.fate.astray(f"{name} comes twice", chance) else 1):
            wait = chance.uniform(0.01, _LATE_SECONDS if late else 1)
            if target in self.wiring.machines:
                self.scheduler.after(wait, lambda: self.start(target, event["detail"]))
            else:
                self.scheduler.after(wait, lambda: self._queues.send(target, event, name))

    def hand_to_queue(self, queue: str, body: dict[str, Any]) -> None:
        """Let the queue's reader come by."""
        self._queues.send(queue, body, self.fate.again(f"what went to {queue}"))

    # --- state machines, and the schedule

    def start(self, machine: str, given: dict[str, Any]) -> None:
        """Run a state machine, beside whatever else runs."""
        subject = next(iter(given["data"].values()))
        label = self.fate.again(f"{machine} {subject[:8]}")
        execution = Execution(
            self.wiring.machines[machine], given, lambda function, payload: self._task(label, function, payload)
        )
        self.executions.append(execution)

        def act() -> None:
            execution.run()
            self.fate.note(f"{label}: {' '.join(execution.path)}{'' if execution.succeeded else ' (failed)'}")

        actor = Actor(act)
        chance = self.fate.dice(f"way of {label}")
        if self.fate.astray(f"{label} breaks off", chance):
            self.scheduler.after(chance.uniform(0, 3), lambda: self.scheduler.kill(actor))
        self.scheduler.start(actor)

    def _task(self, label: str, function: str, payload: Any) -> Any:
        """Invoke a step as Step Functions does: it may not get through, or not be told what came of it."""
        label = self.fate.again(f"{label} {function.partition('/')[2]}")
        chance = self.fate.dice(f"way of {label}")
        if self.fate.astray(f"{label} is not reached", chance):
            raise Gone("Lambda.ServiceException")
        if self.fate.astray(f"{label} goes on alone", chance):
            # That is seldom without a reason: it is slow.
            self.lambdas.invoke(function, payload, label, lambda _: None, sluggish=True)
            passing.wait(chance.uniform(0, 2))
            raise Gone("Lambda.Unknown")

        def begin(done: Done) -> None:
            self.lambdas.invoke(function, payload, label, done)

        answer, error = self.scheduler.wait_for(begin)
        if error is not None:
            raise error
        return answer

    def tick(self, *, nightly: bool = False) -> None:
        """Run what runs every few minutes by the clock, or what runs each night: more often than it says does no harm."""
        for function, every_few_minutes in self.wiring.schedules.items():
            if every_few_minutes is not nightly:
                self.lambdas.invoke(function, {}, self.fate.again(f"schedule of {function}"), partial(self._answered, function))

    def _answered(self, function: str, outcome: Outcome) -> None:
        answer, error = outcome
        if error is None:
            self.answers.append((function, answer))
