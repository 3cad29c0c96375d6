"""What services ask of tokens, and what a clerk's tools put on the bus."""

from tests.simulation.plays.orders import _some_order
from tests.simulation.scene import Announcement, Evening, Request, Scene
from tests.simulation.shop import BUYERS
from tillflow.values import clock, ids

TOKEN = "POST /api/auth/token"
MAKE = "POST /v1/service-tokens"
WANTED: dict[str, object] = {"name": "checkout", "scopes": ["tokens:issue"]}


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


def makes_a_service_token(_: Scene) -> Request:
    """Return the request of an administrator to make a token for a service."""
    return Request(MAKE, "an-admin", "admin", WANTED)


def revokes_a_service_token(scene: Scene) -> Request:
    """Return the request of an administrator to revoke a token that nobody made."""
    path, codes = {"id": ids.derived("machine", str(scene.number))}, frozenset({"CREDENTIAL_NOT_FOUND"})
    return Request("DELETE /v1/service-tokens/{id}", "an-admin", "admin", path=path, codes=codes, succeeds=False)


def service_tokens_are_shown_once(evening: Evening) -> None:
    """Whoever made a token was shown it, and nobody is any more."""
    made = {sent.body["id"]: sent.body["token"] for sent in evening.sent(MAKE) if sent.succeeded}
    listed = evening.ask(Request("GET /v1/service-tokens", "an-admin", "admin")).body["items"]
    assert made.keys() <= {each["id"] for each in listed}
    assert not any("token" in each for each in listed)
    assert all(text.split("_", 2)[2] not in str(listed) for text in made.values())


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
