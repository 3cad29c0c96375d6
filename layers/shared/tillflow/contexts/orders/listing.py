"""
A user's orders, newest first, page by page.

The index knows whose an order is and when it was placed, which never change; everything else is read from the orders
themselves. So an order's way costs one write unit more, and a page one read unit an order.
"""

from typing import Any

from tillflow.contexts.orders import rules, store
from tillflow.contexts.orders.models import OrdersQuery
from tillflow.contexts.orders.rules import Order
from tillflow.values import clock, ids, jsontext
from tillflow.web import paging
from tillflow.web.http import MAX_BODY_BYTES, size_of

# A status is known only when the order is read: a page looks at so many, and the next goes on from there.
_MOST_READ = 100
# Few round trips, however few are wanted.
_READ_AT_ONCE = 20


def page(wanted: OrdersQuery, user_id: str) -> dict[str, Any]:
    """
    Return a page of a user's orders: `{items, next_token}`; the token is None when there are no more.

    Raises:
        InvalidToken: the token is of another list.
    """
    listed = (user_id, wanted.status, wanted.since, wanted.until)
    most = wanted.limit if wanted.status is None else _MOST_READ
    # One more than is read tells whether there are more.
    placed = store.placed_by(user_id, (wanted.since, wanted.until), _after(wanted, listed), most + 1)
    items: list[dict[str, Any]] = []
    size, last = 0, None
    for order in store.find_each(placed[:most], at_once=max(wanted.limit, _READ_AT_ONCE)):
        if wanted.status in (None, order.status):
            shown = rules.present(order)
            size += size_of(jsontext.dumps(shown))
            if size > MAX_BODY_BYTES:
                break
            items.append(shown)
        last = order
        if len(items) == wanted.limit:
            break
    more = last is not None and last.order_id != placed[-1]
    return {"items": items, "next_token": paging.token(_keys(last), listed) if last and more else None}


def _keys(order: Order) -> tuple[str, str]:
    return clock.iso(order.created_at), order.order_id


def _after(wanted: OrdersQuery, listed: tuple[str | None, ...]) -> tuple[str, str] | None:
    """Return the keys after which the page begins, if any; DynamoDB takes none that lie outside the window."""
    if wanted.next_token is None:
        return None
    match paging.place_of(wanted.next_token, listed):
        case [created_at, order_id] if wanted.since <= created_at <= wanted.until and ids.is_uuid(order_id):
            return created_at, order_id
    raise paging.spoiled()
