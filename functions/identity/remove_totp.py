"""DELETE /v1/auth/mfa/totp: have logins ask for no second factor."""

from tillflow.contexts.identity import factors
from tillflow.contexts.identity.refusals import NoSession, UserNotFound
from tillflow.web.http import Api
from tillflow.web.request import FreshLoginRequired, Request

api = Api()


@api.route("DELETE /v1/auth/mfa/totp", answers={204: None}, refuses=[FreshLoginRequired, NoSession, UserNotFound])
def remove_totp(request: Request) -> None:
    """Remove the caller's second factor, with its recovery codes. Where there is none, nothing changes."""
    factors.remove(factors.owner(request.caller), request.cause())


handler = api.handler
