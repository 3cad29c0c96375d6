"""POST /api/v1/stock-transfers: move stock from one warehouse to another."""

from tillflow.contexts.stock import rules, transfers
from tillflow.contexts.stock.answers import StockTransfer
from tillflow.contexts.stock.models import CreateTransfer
from tillflow.storage.idempotency import KeyConflict, Reply
from tillflow.web.http import Api
from tillflow.web.request import BadRequest, Request

api = Api(invalid=BadRequest)


@api.route(
    "POST /api/v1/stock-transfers",
    body=CreateTransfer,
    key="optional",
    answers={201: StockTransfer},
    refuses=[
        rules.InvalidStockEvent,
        rules.InsufficientStock,
        rules.WarehouseForbidden,
        rules.WarehouseNotFound,
        rules.VariantNotFound,
        KeyConflict,
    ],
)
def create_stock_transfer(request: Request) -> Reply:
    """Answer 201 and the two movements: an OUTBOUND and an INBOUND event, recorded in one commit, reason OTHER."""
    once = request.idempotency("create_stock_transfer", reused=KeyConflict)
    return transfers.transfer(request.body(CreateTransfer), request.cause(), once)


handler = api.handler
