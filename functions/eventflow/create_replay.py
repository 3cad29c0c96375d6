"""POST /api/v1/consumers/{id}/replays: send stored events to a consumer again."""

from tillflow.contexts.eventflow import launching
from tillflow.contexts.eventflow.launching import TooManyReplays
from tillflow.contexts.eventflow.registry import ConsumerNotFound, ConsumerNotReady
from tillflow.contexts.eventflow.replayanswers import Rehearsal, Replay
from tillflow.contexts.eventflow.replaymodels import CreateReplay
from tillflow.storage.idempotency import KeyReused, Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/consumers/{id}/replays",
    body=CreateReplay,
    key="optional",
    answers={202: Replay, 200: Rehearsal},
    refuses=[ConsumerNotFound, ConsumerNotReady, KeyReused, TooManyReplays],
)
def create_replay(request: Request) -> Reply:
    """
    Answer 202 and the replay: what it is of is sent to this consumer alone, in the order it was received in, and is `replayed`.

    `GET` tells how far it is, `DELETE` stops it. With `dry_run`, answer 200 and how many events it would be, and send none.
    """
    once = request.idempotency(f"create_replay {request.path['id']}")
    return launching.begin(request.path["id"], request.body(CreateReplay), request.cause(), once)


handler = api.handler
