"""POST /v1/auth/password/reset/confirm: set the password anew, by a mail's link."""

from tillflow.contexts.identity import accounts
from tillflow.contexts.identity.models import ResetPassword
from tillflow.contexts.identity.passwords import WeakPassword
from tillflow.contexts.identity.refusals import InvalidCode
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /v1/auth/password/reset/confirm", body=ResetPassword, answers={204: None}, refuses=[InvalidCode, WeakPassword])
def reset_password(request: Request) -> None:
    """Set the password; every session ends. A second factor is asked for as before."""
    accounts.reset_password(request.body(ResetPassword), request.trace_id)


handler = api.handler
