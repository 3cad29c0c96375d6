"""PUT /v1/users/{id}/roles: give a user these roles, and no others."""

from tillflow.contexts.identity import administration, users
from tillflow.contexts.identity.answers import User
from tillflow.contexts.identity.models import Roles
from tillflow.contexts.identity.refusals import LastAdministrator, UserNotFound, UserNotVerified
from tillflow.web.http import Api
from tillflow.web.request import FreshLoginRequired, Request

api = Api()


@api.route(
    "PUT /v1/users/{id}/roles",
    body=Roles,
    answers={200: User},
    refuses=[UserNotFound, LastAdministrator, UserNotVerified, FreshLoginRequired],
)
def set_roles(request: Request) -> dict[str, object]:
    """Answer the user. It takes a login of the last ten minutes; a new token is not needed."""
    request.caller.require_fresh_login()
    return users.present(administration.set_roles(request.path["id"], tuple(request.body(Roles).roles), request.cause()))


handler = api.handler
