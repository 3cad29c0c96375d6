"""POST /v1/auth/register: make an account."""

from tillflow.contexts.identity import accounts
from tillflow.contexts.identity.answers import Accepted
from tillflow.contexts.identity.attempts import TooManyAttempts
from tillflow.contexts.identity.models import Register
from tillflow.contexts.identity.passwords import WeakPassword
from tillflow.contexts.identity.sessions import Client
from tillflow.storage.idempotency import Reply
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /v1/auth/register", body=Register, answers={202: Accepted}, refuses=[WeakPassword, TooManyAttempts])
def register(request: Request) -> Reply:
    """
    Answer `{"status": "accepted"}`, whoever has the address: a mail to it says what follows.

    The account is good once its mail's link was opened, by `POST /v1/auth/email/verify`.
    """
    accounts.register(request.body(Register), Client.of(request), request.trace_id)
    return Reply(202, {"status": "accepted"})


handler = api.handler
