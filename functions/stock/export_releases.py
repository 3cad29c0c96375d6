"""GET /api/stocks/release-events/export: the release audit as CSV, one row per released item."""

from tillflow.contexts.stock import service
from tillflow.contexts.stock.models import ReleaseExportQuery
from tillflow.values.csvtext import rows
from tillflow.web.http import MAX_BODY_BYTES, Api, Download, size_of
from tillflow.web.request import BadRequest, Request

_COLUMNS = ("releaseId", "orderId", "reservationId", "reason", "skuId", "quantity", "releasedAt")

api = Api(invalid=BadRequest)


@api.route("GET /api/stocks/release-events/export", query=ReleaseExportQuery, answers={200: "text/csv"})
def export_releases(request: Request) -> Download:
    """Answer `inventory-release-events.csv`."""
    releases = service.release_export(request.query(ReleaseExportQuery))
    items = [release | item for release in releases for item in release["releasedItems"]]
    text = rows(_COLUMNS, items)
    if size_of(text) > MAX_BODY_BYTES:
        raise BadRequest("The export is larger than 5 MB. Ask for less: a lower limit, or a shorter time between from and to.")
    return Download(text, "text/csv; charset=utf-8", "inventory-release-events.csv")


handler = api.handler
