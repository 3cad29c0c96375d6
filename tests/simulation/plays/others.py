"""What services ask of tokens, and what a clerk's tools put on the bus."""

from tests.simulation.plays.orders import _some_order
from tests.simulation.scene import Announcement, Evening, Request, Scene
from tests.simulation.shop import BUYERS
from tillflow.values import clock, ids

TOKEN = "POST /api/auth/token"


def issues_a_token(scene: Scene) -> Request:
    """Return the request of a service to issue a token."""
    body = {"userId": scene.dice.choice(BUYERS), "roles": ["buyer"], "ttlSeconds": 3600}
    return Request(TOKEN, "a-service", "service", body)


def tokens_are_tokens(evening: Evening) -> None:
    """Whoever asked for a token got one for as long as they asked."""
    for sent in evening.sent(TOKEN):
        if sent.succeeded:
            assert sent.body["expiresIn"] == 3600
            assert sent.body["token"].count(".") == 1


def asks_for_a_release(scene: Scene) -> Announcement:
    """Return the event with which a clerk's tool asks for an order's stock."""
    order_id, _ = _some_order(scene)
    envelope = {
        "event_id": ids.derived("event", f"{scene.number} {scene.dice.random()}"),
        "event_type": "InventoryReleaseRequested",
        "occurred_at": clock.iso(scene.moment),
        "trace_id": ids.derived("trace", f"{scene.number}"),
        "identity": {"user_id": "a-clerk", "roles": []},
        "data": {"order_id": order_id, "reason": "a clerk wants it"},
        "version": 1,
    }
    return Announcement("warehouse.tools", "InventoryReleaseRequested", envelope)
