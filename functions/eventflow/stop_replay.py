"""DELETE /api/v1/consumers/{id}/replays/{replayId}: stop a replay."""

from typing import Any

from tillflow.contexts.eventflow import replays
from tillflow.contexts.eventflow.replayanswers import Replay
from tillflow.contexts.eventflow.replaystore import ReplayNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("DELETE /api/v1/consumers/{id}/replays/{replayId}", answers={200: Replay}, refuses=[ReplayNotFound])
def stop_replay(request: Request) -> dict[str, Any]:
    """Answer the replay as it has ended; what is on its way at this moment (a second's events) may still arrive."""
    return replays.stop(request.path["id"], request.path["replayId"])


handler = api.handler
