"""POST /v1/users/{id}/enable: let a user log in again."""

from tillflow.contexts.identity import administration, users
from tillflow.contexts.identity.answers import User
from tillflow.contexts.identity.refusals import UserNotFound
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /v1/users/{id}/enable", answers={200: User}, refuses=[UserNotFound])
def enable_user(request: Request) -> dict[str, object]:
    """Answer the user."""
    return users.present(administration.enable(request.path["id"], request.cause()))


handler = api.handler
