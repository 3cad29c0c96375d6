"""
The saga's steps. Each may run twice, late, or beside another run of itself, and ends the same.

`ReserveStock → ChargePayment → CompleteOrder` drives an order forward; `FailOrder → RefundPayment → ReleaseStock` undoes
it. The order's status decides: FailOrder goes first, so only an order that stays unconfirmed is ever undone, and the
doors of payment and stock are closed behind it. The same machine is started for new, canceled and stuck orders alike:
it always drives the order to where its status says it belongs.
"""

from tillflow.contexts.orders import service as orders
from tillflow.contexts.orders.service import CANCELED, CONFIRMED, PENDING, Order
from tillflow.contexts.payments import service as payments
from tillflow.contexts.payments.service import Bill
from tillflow.contexts.stock import reservations
from tillflow.messaging.envelope import Cause
from tillflow.runtime import metrics

_TECHNICAL = "PROCESSING_FAILED"
_STOCK_RELEASED = "STOCK_RELEASED"
_PAYMENT_FAILED = "PAYMENT_FAILED"
_ORDER_CANCELED = "ORDER_CANCELED"


def reserve_stock(order: Order, cause: Cause) -> None:
    """
    Reserve everything the order wants, or nothing.

    Raises:
        OrderClosed: the order has failed or was canceled.
        ReservationRefused: there is not enough.
    """
    orders.check_open(order)
    reservations.reserve(order.order_id, order.demand, cause)


def charge_payment(order: Order, cause: Cause) -> None:
    """
    Charge the order's total.

    Raises:
        OrderClosed: the order has failed or was canceled.
        PaymentRefused: the card was declined, or the order is too old to charge.
    """
    orders.check_open(order)
    payments.charge(_bill(order), cause)


def complete_order(order: Order, cause: Cause) -> None:
    """
    Turn the reservation into a sale, then confirm the order: a confirmed order has nothing left to do.

    Raises:
        ReservationRefused: the stock was given back meanwhile.
        OrderClosed: the order has failed or was canceled meanwhile.
    """
    reservations.commit_sale(order.order_id, cause)
    if orders.confirm(order.order_id, cause):
        metrics.count("OrdersConfirmed")
        metrics.milliseconds("SagaDuration", (cause.at - cause.since).total_seconds() * 1000)


def fail_order(order: Order, cause: Cause) -> bool:
    """Fail the order unless it is confirmed or canceled; return whether there is something to undo."""
    order_id = order.order_id
    reservation, refusal = reservations.standing_of(order_id)
    declined = None
    # A refusal is decided once and for good, before anything is charged: there is nothing to undo.
    refused = reservation == reservations.REFUSED
    if refused:
        reason = refusal or reservations.OUT_OF_STOCK
    elif declined := payments.decline_of(order_id):
        reason = _PAYMENT_FAILED
    else:
        reason = _STOCK_RELEASED if reservation == reservations.RELEASED else _TECHNICAL
    holds_stock = reservation == reservations.PENDING
    had = orders.fail(order_id, reason, declined, cause, holds_stock=holds_stock, to_undo=not refused)
    if had != PENDING:
        # Whoever closed an order may have ended before it was undone and settled: doing it again does no harm.
        return had != CONFIRMED
    metrics.count("OrdersFailed")
    if refused:
        metrics.count("StockRefusals")
    return not refused


def refund_payment(order: Order, cause: Cause) -> None:
    """Undo what was charged for a failed or canceled order."""
    payments.refund(_bill(order), cause)


def release_stock(order: Order, cause: Cause) -> None:
    """Give back a failed or canceled order's stock; then nothing is left to undo."""
    reason = _ORDER_CANCELED if order.status == CANCELED else order.failure_reason or _TECHNICAL
    reservations.give_back(order.order_id, reason, cause)
    orders.settle(order.order_id, cause)


def _bill(order: Order) -> Bill:
    return Bill(order.order_id, order.total, order.currency, order.payment_token, order.created_at)
