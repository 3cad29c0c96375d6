"""GET /v1/users/me: the caller."""

from tillflow.contexts.identity import users
from tillflow.contexts.identity.answers import User
from tillflow.contexts.identity.refusals import UserNotFound
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("GET /v1/users/me", answers={200: User}, refuses=[UserNotFound])
def get_me(request: Request) -> dict[str, object]:
    """Answer the user who calls."""
    return users.present(users.get(request.caller.user_id))


handler = api.handler
