"""GET /v1/auth/sessions: the caller's sessions."""

from tillflow.contexts.identity import sessions
from tillflow.contexts.identity.answers import SessionList
from tillflow.values import clock
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("GET /v1/auth/sessions", answers={200: SessionList})
def list_sessions(request: Request) -> dict[str, object]:
    """Answer the caller's sessions that are not over, newest first."""
    caller = request.caller
    live = sessions.list_live(caller.user_id, clock.now())
    shown = [sessions.present(session_id, session, caller.session_id) for session_id, session in live]
    return {"items": sorted(shown, key=lambda each: str(each["created_at"]), reverse=True)}


handler = api.handler
