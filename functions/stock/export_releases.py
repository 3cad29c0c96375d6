"""GET /api/stocks/release-events/export: the release audit as CSV, one row per released item."""

from tillflow.contexts.stock import service
from tillflow.contexts.stock.models import ReleaseExportQuery
from tillflow.web.http import Api, Download, csv_download
from tillflow.web.request import BadRequest, Request

_COLUMNS = ("releaseId", "orderId", "reservationId", "reason", "skuId", "quantity", "releasedAt")

api = Api(invalid=BadRequest)


@api.route("GET /api/stocks/release-events/export", query=ReleaseExportQuery, answers={200: "text/csv"})
def export_releases(request: Request) -> Download:
    """Answer `inventory-release-events.csv`."""
    releases = service.release_export(request.query(ReleaseExportQuery))
    items = [release | item for release in releases for item in release["releasedItems"]]
    return csv_download("inventory-release-events.csv", _COLUMNS, items)


handler = api.handler
