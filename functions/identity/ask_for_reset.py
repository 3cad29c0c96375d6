"""POST /v1/auth/password/reset: have a link mailed that sets the password anew."""

from tillflow.contexts.identity import accounts
from tillflow.contexts.identity.answers import Accepted
from tillflow.contexts.identity.attempts import TooManyAttempts
from tillflow.contexts.identity.models import Reset
from tillflow.contexts.identity.sessions import Client
from tillflow.storage.idempotency import Reply
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /v1/auth/password/reset", body=Reset, answers={202: Accepted}, refuses=[TooManyAttempts])
def ask_for_reset(request: Request) -> Reply:
    """Answer `{"status": "accepted"}`, whether anybody has the address or not."""
    accounts.ask_for_reset(request.body(Reset).email, Client.of(request), request.trace_id)
    return Reply(202, {"status": "accepted"})


handler = api.handler
