"""GET /v1/users/{id}: a user."""

from tillflow.contexts.identity import users
from tillflow.contexts.identity.answers import User
from tillflow.contexts.identity.refusals import UserNotFound
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("GET /v1/users/{id}", answers={200: User}, refuses=[UserNotFound])
def get_user(request: Request) -> dict[str, object]:
    """Answer a user: the caller, or for an administrator anybody."""
    caller, user_id = request.caller, request.path["id"]
    if user_id != caller.user_id and not caller.may("users:read"):
        raise UserNotFound(users.NO_SUCH_USER)
    return users.present(users.get(user_id))


handler = api.handler
