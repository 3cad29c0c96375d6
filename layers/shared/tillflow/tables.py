"""
Every table, its keys and its access patterns, in one page. No key is spelled anywhere else.

| table (env)              | pattern                                | key                                        | who         |
|--------------------------|----------------------------------------|--------------------------------------------|-------------|
| ORDERS_TABLE             | one order; the guard of its snapshot   | ORDER#<order id>, ORDER                    | orders      |
| ORDERS_TABLE `unsettled` | orders whose saga has not ended        | <0..3>, due_at                             | orders      |
| STOCK_TABLE              | one warehouse                          | WAREHOUSE#<id>, WAREHOUSE                  | stock       |
| STOCK_TABLE              | one variant                            | VARIANT#<id>, VARIANT                      | stock       |
| STOCK_TABLE              | a variant and all its levels           | VARIANT#<id>, (LEVEL#<warehouse id>)       | stock       |
| STOCK_TABLE              | stock event, or reservation: a pending | EVENT#<id>, EVENT                          | stock       |
|                          | OUTBOUND one, its id from the order    |                                            |             |
| STOCK_TABLE `released`   | the release audit, newest first        | <0..3>, released_at                        | stock       |
| PAYMENTS_TABLE           | the payment of one order               | PAYMENT#<order id>, PAYMENT                | payments    |
| SANDBOX_CHARGES_TABLE    | the sandbox gateway's charge of a key  | CHARGE#<key>                               | payments    |
| IDEMPOTENCY_TABLE        | what was answered to a key             | <SHA-256 of operation, caller, key>        | idempotency |
| EVENT_LOG_TABLE          | one trace's events in time order       | TRACE#<trace id>, <occurred_at>#<event id> | eventflow   |

Ids of orders, warehouses, variants, reservations and payments follow from what they stand for (`ids.derived`), so
that a conditional put is the uniqueness check and no lookup item is needed.
"""

from tillflow.attributes import Item
from tillflow.config import setting

type Key = dict[str, str]

RELEASED_INDEX = "released"
UNSETTLED_INDEX = "unsettled"
# An index has four partitions: DynamoDB lets each be written 1,000 times a second.
INDEX_PARTITIONS = "0123"


def orders() -> str:
    """Return the name of the orders table."""
    return setting("ORDERS_TABLE")


def stock() -> str:
    """Return the name of the stock table."""
    return setting("STOCK_TABLE")


def payments() -> str:
    """Return the name of the payments table."""
    return setting("PAYMENTS_TABLE")


def sandbox_charges() -> str:
    """Return the name of the sandbox gateway's table."""
    return setting("SANDBOX_CHARGES_TABLE")


def idempotency() -> str:
    """Return the name of the idempotency table."""
    return setting("IDEMPOTENCY_TABLE")


def event_log() -> str:
    """Return the name of the event log table."""
    return setting("EVENT_LOG_TABLE")


def order_key(order_id: str) -> Key:
    """Return the key of an order."""
    return {"pk": f"ORDER#{order_id}", "sk": "ORDER"}


def order_id_of(item: Item) -> str:
    """Return the id of a stored order, whole or as the index has it."""
    return str(item["pk"]).removeprefix("ORDER#")


def index_partition(order_id: str) -> str:
    """Return the partition of an index that an order, or its reservation, is in."""
    return INDEX_PARTITIONS[int(order_id[0], 16) % len(INDEX_PARTITIONS)]


def warehouse_key(warehouse_id: str) -> Key:
    """Return the key of a warehouse."""
    return {"pk": f"WAREHOUSE#{warehouse_id}", "sk": "WAREHOUSE"}


def variant_key(variant_id: str) -> Key:
    """Return the key of a variant; its partition holds its levels too."""
    return {"pk": f"VARIANT#{variant_id}", "sk": "VARIANT"}


def level_key(variant_id: str, warehouse_id: str) -> Key:
    """Return the key of a variant's level in a warehouse."""
    return {"pk": f"VARIANT#{variant_id}", "sk": f"LEVEL#{warehouse_id}"}


def is_level(item: Item) -> bool:
    """Tell a level from its variant, which shares the partition."""
    return str(item["sk"]).startswith("LEVEL#")


def warehouse_id_of(level: Item) -> str:
    """Return the warehouse that a stored level is in."""
    return str(level["sk"]).removeprefix("LEVEL#")


def stock_event_key(event_id: str) -> Key:
    """Return the key of a stock event or reservation."""
    return {"pk": f"EVENT#{event_id}", "sk": "EVENT"}


def payment_key(order_id: str) -> Key:
    """Return the key of an order's payment."""
    return {"pk": f"PAYMENT#{order_id}", "sk": "PAYMENT"}


def idempotency_key(digest: str) -> Key:
    """Return the key of what was answered to an idempotency key; *digest* is its SHA-256 in hexadecimal."""
    return {"pk": digest}


def event_log_key(trace_id: str, occurred_at: str, event_id: str) -> Key:
    """Return the key of an event in the log. The same event has the same key, so recording it twice changes nothing."""
    return {"pk": f"TRACE#{trace_id}", "sk": f"{occurred_at}#{event_id}"}
