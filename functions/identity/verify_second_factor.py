"""POST /v1/auth/mfa/verify: begin a session with the second factor, after the password."""

from tillflow.contexts.identity import login
from tillflow.contexts.identity.answers import Session
from tillflow.contexts.identity.attempts import TooManyAttempts
from tillflow.contexts.identity.models import SecondFactor
from tillflow.contexts.identity.refusals import InvalidChallenge, InvalidSecondFactor
from tillflow.contexts.identity.sessions import Client
from tillflow.web.http import Api, Headed
from tillflow.web.request import Request

api = Api()


@api.route(
    "POST /v1/auth/mfa/verify",
    body=SecondFactor,
    answers={200: Session},
    refuses=[InvalidChallenge, InvalidSecondFactor, TooManyAttempts],
)
def verify_second_factor(request: Request) -> Headed:
    """Answer the session's tokens. The code is a TOTP's six digits, or a recovery code."""
    shown = request.body(SecondFactor)
    cookies = request.headers.get("cookie", "")
    found = login.verify_second_factor(shown.mfa_token, shown.code, cookies, Client.of(request), request.trace_id)
    return Headed(found.tokens.answer(), {"Set-Cookie": found.cookie})


handler = api.handler
