"""POST /api/v1/stock-events/import: take in a file of stock events."""

from tillflow.contexts.stock import intake, rules
from tillflow.contexts.stock.answers import Import
from tillflow.contexts.stock.models import ImportQuery
from tillflow.storage.idempotency import KeyConflict, Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/stock-events/import",
    query=ImportQuery,
    text="text/csv",
    key="required",
    answers={202: Import},
    refuses=[rules.InvalidImport, KeyConflict],
)
def import_stock_events(request: Request) -> Reply:
    """
    Answer 202 and the import; `GET /api/v1/imports/{id}` tells how far it is, row by row.

    The file has up to 10,000 rows under the heading `type,warehouseCode,sku,quantity,reasonCode,notes[,occurredAt]`, in UTF-8.
    Rows that say the same of type, warehouse, reason, notes and time become one stock event, of up to 90 lines; of one
    variant in one warehouse the file's order is kept. A row that breaks a rule is refused alone. The same key is the same
    import for good; with another file it is a conflict.
    """
    wanted = request.query(ImportQuery)
    return intake.accept(request.text("text/csv"), request.required_key(), request.cause(), dry_run=wanted.dryRun)


handler = api.handler
