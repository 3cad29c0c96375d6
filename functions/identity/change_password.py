"""POST /v1/auth/password: change the password; every other session ends."""

from tillflow.contexts.identity import accounts
from tillflow.contexts.identity.attempts import TooManyAttempts
from tillflow.contexts.identity.models import NewPassword
from tillflow.contexts.identity.passwords import WeakPassword
from tillflow.contexts.identity.refusals import InvalidCredentials, NoSession, UserNotFound
from tillflow.contexts.identity.sessions import Client
from tillflow.web.http import Api
from tillflow.web.request import FreshLoginRequired, Request

api = Api()


@api.route(
    "POST /v1/auth/password",
    body=NewPassword,
    answers={204: None},
    refuses=[InvalidCredentials, WeakPassword, UserNotFound, NoSession, TooManyAttempts, FreshLoginRequired],
)
def change_password(request: Request) -> None:
    """Change the caller's password. It takes a login of the last ten minutes."""
    caller, wanted = request.caller, request.body(NewPassword)
    caller.require_fresh_login()
    accounts.change_password(caller.user_id, caller.session_id, wanted, Client.of(request), request.cause())


handler = api.handler
