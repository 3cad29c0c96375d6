"""GET /v1/users: the users, page by page."""

from tillflow.contexts.identity import administration
from tillflow.contexts.identity.answers import UserPage
from tillflow.contexts.identity.models import UsersQuery
from tillflow.web.http import Api
from tillflow.web.paging import InvalidToken
from tillflow.web.request import Request

api = Api()


@api.route("GET /v1/users", query=UsersQuery, answers={200: UserPage}, refuses=[InvalidToken])
def list_users(request: Request) -> dict[str, object]:
    """Answer a page of users, newest first; with `email`, whoever has that address. A new one may take a moment to appear."""
    return administration.page(request.query(UsersQuery))


handler = api.handler
