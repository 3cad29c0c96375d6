"""POST /v1/auth/login, POST /api/v1/auth/login: begin a session with a password."""

from tillflow.contexts.identity import login
from tillflow.contexts.identity.answers import Challenge, Session
from tillflow.contexts.identity.attempts import TooManyAttempts
from tillflow.contexts.identity.login import Challenged
from tillflow.contexts.identity.models import Login
from tillflow.contexts.identity.refusals import EmailNotVerified, InvalidCredentials
from tillflow.contexts.identity.sessions import Client
from tillflow.web.http import Answer, Api, Headed
from tillflow.web.request import Request

api = Api()


@api.route(
    "POST /v1/auth/login",
    "POST /api/v1/auth/login",
    body=Login,
    answers={200: Session | Challenge},
    refuses=[InvalidCredentials, EmailNotVerified, TooManyAttempts],
)
def log_in(request: Request) -> Answer:
    """Answer the session's tokens; or, where the user has a second factor, what `POST /v1/auth/mfa/verify` takes."""
    wanted = request.body(Login)
    found = login.log_in(wanted.email, wanted.password, request.headers.get("cookie", ""), Client.of(request), request.trace_id)
    if isinstance(found, Challenged):
        return found.answer()
    return Headed(found.tokens.answer(), {"Set-Cookie": found.cookie})


handler = api.handler
