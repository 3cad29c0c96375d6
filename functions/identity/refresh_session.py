"""POST /v1/auth/refresh: the next tokens of a session."""

from tillflow.contexts.identity import opening
from tillflow.contexts.identity.answers import Session
from tillflow.contexts.identity.models import Refresh
from tillflow.contexts.identity.refusals import InvalidRefreshToken
from tillflow.contexts.identity.sessions import Client
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /v1/auth/refresh", body=Refresh, answers={200: Session}, refuses=[InvalidRefreshToken])
def refresh_session(request: Request) -> dict[str, object]:
    """
    Answer the session's next tokens; the refresh token that was sent is used up.

    Who sends it again within 30 seconds (an answer was lost; another tab) is answered with the same refresh token.
    """
    return opening.refresh(request.body(Refresh).refresh_token, Client.of(request), request.trace_id).answer()


handler = api.handler
