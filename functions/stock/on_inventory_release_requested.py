"""InventoryReleaseRequested, from anyone: give back what the order's reservation holds, once."""

from typing import Any

from tillflow.contexts.stock import reservations
from tillflow.contexts.stock.models import ReleaseRequest
from tillflow.messaging.consumer import consumer
from tillflow.messaging.envelope import Cause


def on_inventory_release_requested(envelope: dict[str, Any]) -> None:
    """Release; the reservation's status makes the second time do nothing."""
    wanted = ReleaseRequest.model_validate(envelope["data"])
    reservations.release(str(wanted.order_id), wanted.reason, Cause.of_envelope(envelope))


handler = consumer(on_inventory_release_requested)
