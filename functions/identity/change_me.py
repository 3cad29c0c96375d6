"""PATCH /v1/users/me: change what users may change of themselves."""

from tillflow.contexts.identity import accounts, users
from tillflow.contexts.identity.answers import User
from tillflow.contexts.identity.models import UserFields
from tillflow.contexts.identity.refusals import UserNotFound
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("PATCH /v1/users/me", patch=UserFields, answers={200: User}, refuses=[UserNotFound])
def change_me(request: Request) -> dict[str, object]:
    """Answer the user with a JSON Merge Patch (RFC 7396) applied: a name can be changed."""
    return users.present(accounts.change_name(request.caller.user_id, request.patch(UserFields), request.cause()))


handler = api.handler
