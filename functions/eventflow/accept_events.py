"""POST /api/v1/events/batch: take in up to 100 events from outside."""

from tillflow.contexts.eventflow import batches, door
from tillflow.contexts.eventflow.answers import Results
from tillflow.contexts.eventflow.door import TooManyEvents
from tillflow.contexts.eventflow.models import SendEvents
from tillflow.contexts.eventflow.rules import MAX_BATCH_BYTES, PayloadTooLarge
from tillflow.storage.idempotency import Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/events/batch",
    body=SendEvents,
    key="optional",
    answers={202: Results},
    refuses=[PayloadTooLarge, TooManyEvents],
)
def accept_events(request: Request) -> Reply:
    """
    Answer 202 and what became of each event, in their order; a batch has 100 events and 1 MB at most.

    What was REJECTED must be changed; what has FAILED may be sent again. With an `idempotency_key` of its own, an event is
    stored once, however often it is sent; under an `Idempotency-Key` of the batch, each at its place in it is.
    """
    if len((request.event.get("body") or "").encode("utf-8", "replace")) > MAX_BATCH_BYTES:
        raise PayloadTooLarge("The batch has more than 1 MB. Send fewer events at once.")
    sent = request.fit(SendEvents, request.json(exact=True)).events
    return Reply(202, batches.accept(request.told(door.Guest), sent, request.key, request.arrived, request.cause()))


handler = api.handler
