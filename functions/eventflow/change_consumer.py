"""PATCH /api/v1/consumers/{id}: change a consumer's name, what it wants, or how it acknowledges."""

from tillflow.contexts.eventflow import consumers
from tillflow.contexts.eventflow.consumeranswers import Consumer
from tillflow.contexts.eventflow.consumermodels import ConsumerFields
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.errors import Stale
from tillflow.web.http import Api, Versioned
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "PATCH /api/v1/consumers/{id}",
    patch=ConsumerFields,
    answers={200: Consumer},
    versioned=True,
    refuses=[ConsumerNotFound, ConsumerNotReady, Stale],
)
def change_consumer(request: Request) -> Versioned:
    """
    Answer the consumer with a JSON Merge Patch (RFC 7396) applied to it. What waits for it already is not changed.

    Send the ETag that it was read with as `If-Match`, and it is changed only if nobody else has changed it since.
    """
    patch, cause = request.patch(ConsumerFields), request.cause()
    found = consumers.change(request.path["id"], patch, request.check_version, cause)
    return Versioned(consumers.present(found), found.version)


handler = api.handler
