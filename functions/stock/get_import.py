"""GET /api/v1/imports/{id}: how far an import is, and what became of its rows."""

from typing import Any

from tillflow.contexts.stock import imports
from tillflow.contexts.stock.answers import ImportProgress
from tillflow.contexts.stock.models import ImportRowsQuery
from tillflow.contexts.stock.rules import ImportNotFound
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/imports/{id}", query=ImportRowsQuery, answers={200: ImportProgress}, refuses=[ImportNotFound])
def get_import(request: Request) -> dict[str, Any]:
    """Answer the import's counts, and a page of its rows in the file's order."""
    return imports.show(request.path["id"], request.query(ImportRowsQuery), request.caller.user_id, request.caller.roles)


handler = api.handler
