"""POST /v1/auth/mfa/totp: be shown a secret for an authenticator app."""

from tillflow.contexts.identity import factors
from tillflow.contexts.identity.answers import Enrolment
from tillflow.contexts.identity.refusals import NoSession, UserNotFound
from tillflow.web.http import Api
from tillflow.web.request import FreshLoginRequired, Request

api = Api()


@api.route(
    "POST /v1/auth/mfa/totp",
    answers={200: Enrolment},
    refuses=[FreshLoginRequired, NoSession, UserNotFound],
)
def enrol_totp(request: Request) -> dict[str, str]:
    """Answer a new secret. Logins ask for its codes when `POST /v1/auth/mfa/totp/confirm` has had one, within 15 minutes."""
    return factors.enrol(factors.owner(request.caller), request.cause())


handler = api.handler
