"""POST /v1/auth/email/verify: show, by a mail's link, that an address is its user's."""

from tillflow.contexts.identity import accounts
from tillflow.contexts.identity.answers import Verified
from tillflow.contexts.identity.models import Opened
from tillflow.contexts.identity.refusals import InvalidCode
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /v1/auth/email/verify", body=Opened, answers={200: Verified}, refuses=[InvalidCode])
def verify_email(request: Request) -> dict[str, object]:
    """Answer `{"status": "verified"}`: from now on the account's password opens it."""
    accounts.verify_email(request.body(Opened).token, request.trace_id)
    return {"status": "verified"}


handler = api.handler
