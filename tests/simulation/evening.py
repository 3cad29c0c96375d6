"""What is found when everything is quiet, read once; and whoever wants to know more may ask."""

import json
from typing import Any
from uuid import UUID

from tests.faults import passing
from tests.simulation.cloud import Cloud
from tests.simulation.scene import Request, Sent


class QuietEvening:
    """An `Evening` of *cloud*, whose people sent what *history* says."""

    def __init__(self, cloud: Cloud, history: list[Sent]) -> None:
        self.history = history
        self.published = cloud.published
        self.answers = cloud.answers
        self._cloud = cloud
        self._items = {name: cloud.items(name) for name in cloud.wire.dynamodb.tables}

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return every item of *table*, as plain values."""
        return self._items[table]

    def sent(self, route: str) -> list[Sent]:
        """Return every request of *route* that was sent."""
        return [sent for sent in self.history if sent.request.route == route]

    def queued(self, consumer_id: str) -> set[str]:
        """Return the ids of the events in a consumer's queue."""
        queues = self._cloud.wire.sqs.queues.items()
        letters = [letter for name, queue in queues if name.endswith(UUID(consumer_id).hex) for letter in queue.letters]
        return {json.loads(letter.body)["event_id"] for letter in letters}

    def run(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a *function* now, and return its answer."""
        return self._cloud.invoke(function, event)

    def ask(self, request: Request) -> Sent:
        """Send *request* now, when everything is quiet, and return it with its answer."""
        sent = Sent(-1, request, passing.waited())
        sent.hear(self._cloud.invoke(self._cloud.wiring.routes[request.route], request.event("evening")))
        return sent
