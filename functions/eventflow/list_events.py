"""GET /api/v1/events: the events of the last 90 days, page by page."""

from typing import Any

from tillflow.contexts.eventflow import browse
from tillflow.contexts.eventflow.answers import EventPage
from tillflow.contexts.eventflow.models import EventsQuery
from tillflow.web.http import Api
from tillflow.web.paging import InvalidPlace
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route("GET /api/v1/events", query=EventsQuery, answers={200: EventPage}, refuses=[InvalidPlace])
def list_events(request: Request) -> dict[str, Any]:
    """
    Answer events from outside and the product's own (producer `tillflow.<context>`), received last first.

    One is here seconds after it was accepted. `total` is exact up to 10,000 (`total_relation`: `eq`, else `gte`).
    """
    return browse.page(request.query(EventsQuery))


handler = api.handler
