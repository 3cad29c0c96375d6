"""GET /api/v1/consumers/{id}/replays/{replayId}: how far a replay is."""

from typing import Any

from tillflow.contexts.eventflow import replays
from tillflow.contexts.eventflow.replayanswers import Replay
from tillflow.contexts.eventflow.replaystore import ReplayNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/consumers/{id}/replays/{replayId}", answers={200: Replay}, refuses=[ReplayNotFound])
def get_replay(request: Request) -> dict[str, Any]:
    """Answer the replay, and how many events are sent."""
    return replays.show(request.path["id"], request.path["replayId"])


handler = api.handler
