"""POST /v1/users/{id}/disable: end all that a user is logged in to, and let them log in no more."""

from tillflow.contexts.identity import administration, users
from tillflow.contexts.identity.answers import User
from tillflow.contexts.identity.refusals import LastAdministrator, UserNotFound
from tillflow.web.http import Api
from tillflow.web.request import Request

api = Api()


@api.route("POST /v1/users/{id}/disable", answers={200: User}, refuses=[UserNotFound, LastAdministrator])
def disable_user(request: Request) -> dict[str, object]:
    """Answer the user."""
    return users.present(administration.disable(request.path["id"], request.cause()))


handler = api.handler
