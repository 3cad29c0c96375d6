"""What befalls a delivery run beside the weather: what the issue of losing nothing is about, often enough that each happens."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.faults.wire import Call, Fault
from tests.simulation.weather import Fate, Weather

STORM = Weather(faults=0.005, slow=0.005, astray=0.015)
KILLED, DIES = "a router is killed between store and send", "a consumer's process dies before its ack"
THROTTLED, PARTLY, LOST_ACK = "a send is throttled", "a send is partly taken", "an ack is lost"
DELETED = "a queue is deleted under the router"
# What the platform does wrong, by how it is named where it happens.
CARRIED = {
    r"^stream .* comes again$": "a batch is delivered twice",
    r" comes (again|twice)$": "a message is delivered twice",
    r" is late$": "what is carried is late",
    r": the request is lost$": "a request is lost",
    r": the answer is lost$": "an answer is lost",
}
_ROUTE = "eventflow/route_events"


@dataclass(frozen=True, slots=True)
class Mishap:
    """Of so many calls of this operation by this function, as *likely* as that, one meets a *fault*."""

    what: str
    function: str
    operation: str
    fault: Fault
    likely: float


_MISHAPS = (
    # It has stored and indexed, and reads who is to be sent what.
    Mishap(KILLED, _ROUTE, "GetItem", Fault.CRASH, 0.04),
    Mishap(THROTTLED, _ROUTE, "SendMessageBatch", Fault.THROTTLED, 0.03),
    Mishap(PARTLY, _ROUTE, "SendMessageBatch", Fault.PARTLY, 0.04),
    Mishap("an answer of a send is lost", _ROUTE, "SendMessageBatch", Fault.LOST, 0.02),
    # A registration takes longer: what is routed meanwhile is for the indexes to know.
    Mishap("an answer of a registration is lost", "eventflow/create_consumer", "CreateQueue", Fault.LOST_ONCE, 0.7),
    Mishap(LOST_ACK, "eventflow/acknowledge_events", "DeleteMessageBatch", Fault.ERROR, 0.03),
    Mishap("an ack is partly taken", "eventflow/acknowledge_events", "DeleteMessageBatch", Fault.PARTLY, 0.03),
    Mishap(LOST_ACK, "eventflow/fetch_events", "DeleteMessageBatch", Fault.ERROR, 0.03),
)


class Mishaps(Fate):
    """A fate that has these as well, and counts by *kinds* what befell. In fair weather nothing does."""

    def __init__(self, seed: int, note: Callable[[str], None]) -> None:
        super().__init__(seed, note)
        self.kinds: Counter[str] = Counter()

    def happens(self, what: str, label: str, chance: Random, likely: float) -> bool:
        """Tell whether something that has *what* for a name befalls a client."""
        struck = chance.random() < likely and self.weather != Weather()
        return self._counted(what, self._befalls(f"{label}: {what}", likely=struck))

    def astray(self, name: str, chance: Random) -> bool:
        """Tell whether what the platform carries goes astray (see `Fate`)."""
        kind = next((kind for pattern, kind in CARRIED.items() if re.search(pattern, name)), name)
        return self._counted(kind, super().astray(name, chance))

    def of_call(self, label: str, call: Call, chance: Random) -> Fault | None:
        """Return what befalls a call (see `Fate`)."""
        for each in _MISHAPS:
            if (each.function, each.operation) == (call.function, call.operation) and self.happens(
                each.what, label, chance, each.likely
            ):
                return each.fault
        fault = super().of_call(label, call, chance)
        self._counted(f"a call meets “{fault}”", fault is not None)
        return fault

    def _counted(self, kind: str, befell: bool) -> bool:  # noqa: FBT001 - what is counted, if it is
        self.kinds[kind] += befell
        return befell
