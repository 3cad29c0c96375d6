"""Orders in DynamoDB: reads, and the writes they add to a commit."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import batched, islice
from typing import Any

from tillflow.contexts.orders import tables
from tillflow.contexts.orders.rules import (
    CANCELED,
    CONFIRMED,
    FAILED,
    PENDING,
    Order,
    OrderNotFound,
    OrderUnreadable,
    already_finalized,
)
from tillflow.runtime.config import number
from tillflow.runtime.invocation import logger
from tillflow.storage import database
from tillflow.storage.attributes import Item, to_item
from tillflow.storage.commit import Commit, absent, when
from tillflow.storage.tables import INDEX_PARTITIONS, index_partition
from tillflow.values import clock, jsontext

_INDEX_KEYS = ("unsettled", "due_at")
_USER_KEYS = ("user_id", "created_at")


def deadline_after(moment: datetime) -> str:
    """Return when a saga that is driven on at *moment* must have ended."""
    return clock.iso(moment + timedelta(seconds=number("ORDER_DEADLINE_SECONDS", 600)))


def find(order_id: str) -> Order:
    """
    Return the order.

    Raises:
        OrderNotFound: there is none.
        OrderUnreadable: what is there is none.
    """
    item = database.get(tables.orders(), tables.order_key(order_id))
    if item is None:
        raise OrderNotFound("There is no order with this id.")
    return _order(item)


def find_each(order_ids: Sequence[str], *, at_once: int) -> Iterator[Order]:
    """Yield the orders that can be read in the order of their ids, read *at_once* when the first of them is wanted."""
    for wanted in batched(order_ids, at_once, strict=False):
        found = database.batch(tables.orders(), [tables.order_key(order_id) for order_id in wanted])
        yield from sorted(_readable(found), key=lambda order: wanted.index(order.order_id))


def _readable(items: Iterable[Item]) -> Iterator[Order]:
    for item in items:
        try:
            yield _order(item)
        except OrderUnreadable as error:
            logger.error(error.message)


def placed_by(user_id: str, window: tuple[str, str], after: tuple[str, str] | None, most: int) -> list[str]:
    """
    Return the ids of a user's orders that were placed within these moments (ISO 8601), newest first, at *most* so many.

    *after*: the moment and the id of the order that they follow. An order is here a moment after it was placed.
    """
    options: dict[str, Any] = {"ScanIndexForward": False, "Limit": most}
    if after:
        moment, order_id = after
        start = tables.order_key(order_id) | dict(zip(_USER_KEYS, (user_id, moment), strict=True))
        options["ExclusiveStartKey"] = to_item(start)
    found = database.between(tables.orders(), tables.USER_INDEX, _USER_KEYS, user_id, window, **options)
    return [tables.order_id_of(item) for item in islice(found, most)]


def due(before: datetime) -> Iterator[str]:
    """Yield the ids of orders whose saga should have ended *before* this moment."""
    return _unsettled_until(clock.iso(before))


def unsettled() -> Iterator[str]:
    """Yield the ids of all orders whose saga has not ended."""
    return _unsettled_until(clock.LATEST)


def _unsettled_until(moment: str) -> Iterator[str]:
    for partition in INDEX_PARTITIONS:
        bounds = (clock.EARLIEST, moment)
        for item in database.between(tables.orders(), tables.UNSETTLED_INDEX, _INDEX_KEYS, partition, bounds):
            yield tables.order_id_of(item)


def add(commit: Commit, order: Order, otherwise: Callable[[str | None], Exception]) -> None:
    """Store a new order; *otherwise* gets the user whose order the snapshot has become before."""
    item: dict[str, Any] = tables.order_key(order.order_id) | {
        "status": order.status,
        "user_id": order.user_id,
        "roles": list(order.roles),
        "trace_id": order.trace_id,
        "created_at": clock.iso(order.created_at),
        "updated_at": clock.iso(order.updated_at),
        "payment_token": order.payment_token,
        # Deflated: an order of a few lines then stays within one write unit (docs/adr/0002).
        "snapshot": zlib.compress(jsontext.dumps(order.snapshot).encode()),
    }
    item |= _unsettled(order.order_id, order.created_at)
    commit.put(tables.orders(), item, when=absent(), otherwise=lambda item: otherwise(item["user_id"] if item else None))


def cancel(commit: Commit, order: Order) -> None:
    """Write *order* canceled; its saga has something to undo until it is settled."""
    change = {
        "status": CANCELED,
        "updated_at": clock.iso(order.updated_at),
        "canceled_at": clock.iso(order.canceled_at or order.updated_at),
    } | _unsettled(order.order_id, order.updated_at)
    if order.cancellation_reason is not None:
        change["cancellation_reason"] = order.cancellation_reason
    commit.update(
        tables.orders(),
        tables.order_key(order.order_id),
        change=change,
        when=when("#status IN (:pending, :confirmed)", pending=PENDING, confirmed=CONFIRMED),
        otherwise=lambda item: already_finalized(_order(item)) if item else OrderNotFound(),
    )


def confirm(commit: Commit, order_id: str, at: datetime, otherwise: Callable[[str], Exception]) -> None:
    """Write a pending order confirmed and settled; *otherwise* gets the status it has instead."""
    commit.update(
        tables.orders(),
        tables.order_key(order_id),
        change={"status": CONFIRMED, "updated_at": clock.iso(at)},
        remove=("payment_token", *_INDEX_KEYS),
        when=when("#status = :pending", pending=PENDING),
        otherwise=_with_status(otherwise),
    )


def fail(
    commit: Commit, order_id: str, why: Mapping[str, str], at: datetime, *, settled: bool, otherwise: Callable[[str], Exception]
) -> None:
    """Write a pending order failed, with *why* (its attributes); *settled* when there is nothing to undo."""
    commit.update(
        tables.orders(),
        tables.order_key(order_id),
        change={"status": FAILED, "updated_at": clock.iso(at), **why},
        remove=("payment_token", *_INDEX_KEYS) if settled else (),
        when=when("#status = :pending", pending=PENDING),
        otherwise=_with_status(otherwise),
    )


def settle(commit: Commit, order_id: str, otherwise: Callable[[str], Exception]) -> None:
    """Write that nothing is left to undo of a failed or canceled order."""
    commit.update(
        tables.orders(),
        tables.order_key(order_id),
        remove=("payment_token", *_INDEX_KEYS),
        when=when("#status IN (:failed, :canceled)", failed=FAILED, canceled=CANCELED),
        otherwise=_with_status(otherwise),
    )


def postpone(commit: Commit, order_id: str, at: datetime, otherwise: Callable[[str], Exception]) -> None:
    """Give an unsettled order's saga another deadline from *at*."""
    commit.update(
        tables.orders(),
        tables.order_key(order_id),
        change={"due_at": deadline_after(at)},
        when=when("attribute_exists(#unsettled)"),
        otherwise=_with_status(otherwise),
    )


def _unsettled(order_id: str, since: datetime) -> dict[str, str]:
    return {"unsettled": index_partition(order_id), "due_at": deadline_after(since)}


def _with_status(otherwise: Callable[[str], Exception]) -> Callable[[Item | None], Exception]:
    return lambda item: otherwise(item["status"]) if item else OrderNotFound()


def _order(item: Item) -> Order:
    try:
        return _as_stored(item)
    except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
        raise OrderUnreadable(f"Order {tables.order_id_of(item)} cannot be read: {type(error).__name__}.") from error


def _as_stored(item: Item) -> Order:
    canceled_at = item.get("canceled_at")
    return Order(
        order_id=tables.order_id_of(item),
        status=item["status"],
        user_id=item["user_id"],
        roles=tuple(item["roles"]),
        snapshot=jsontext.loads(zlib.decompress(item["snapshot"])),
        trace_id=item["trace_id"],
        created_at=clock.parse(item["created_at"]),
        updated_at=clock.parse(item["updated_at"]),
        payment_token=item.get("payment_token"),
        failure_reason=item.get("failure_reason"),
        decline_code=item.get("decline_code"),
        cancellation_reason=item.get("cancellation_reason"),
        canceled_at=clock.parse(canceled_at) if canceled_at else None,
    )
