"""POST /v1/auth/mfa/totp/confirm: have logins ask for the second factor that was shown."""

from tillflow.contexts.identity import factors
from tillflow.contexts.identity.answers import RecoveryCodes
from tillflow.contexts.identity.models import ConfirmFactor
from tillflow.contexts.identity.refusals import InvalidFactorCode, NoEnrolment, NoSession, UserNotFound
from tillflow.web.http import Api
from tillflow.web.request import FreshLoginRequired, Request

api = Api()


@api.route(
    "POST /v1/auth/mfa/totp/confirm",
    body=ConfirmFactor,
    answers={200: RecoveryCodes},
    refuses=[InvalidFactorCode, NoEnrolment, FreshLoginRequired, NoSession, UserNotFound],
)
def confirm_totp(request: Request) -> dict[str, list[str]]:
    """Answer ten recovery codes, each good once in place of the app's. They are shown here alone."""
    user_id, sent = factors.owner(request.caller), request.body(ConfirmFactor)
    return {"recovery_codes": factors.confirm(user_id, sent.code, request.cause())}


handler = api.handler
