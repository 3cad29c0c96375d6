"""
Orders in DynamoDB: keys and access patterns.

| table (env)              | pattern                              | key                     | reads                    | writes               |
|--------------------------|--------------------------------------|-------------------------|--------------------------|----------------------|
| ORDERS_TABLE             | one order; the guard of its snapshot | ORDER#<order id>, ORDER | 1 a 4 KB                 | 1 a KB; with a key 2 |
| ORDERS_TABLE `unsettled` | orders whose saga has not ended      | <0..3>, due_at          | 4 x ½ a 4 KB             | 1 in, 1 out          |
| ORDERS_TABLE `user_id`   | a user's orders, newest first        | <user id>, created_at   | ½ a 4 KB, and each order | 1 in                 |
"""

from tillflow.runtime.config import setting
from tillflow.storage.attributes import Item
from tillflow.storage.tables import Key

UNSETTLED_INDEX = "unsettled"
USER_INDEX = "user_id"


def orders() -> str:
    """Return the name of the orders table."""
    return setting("ORDERS_TABLE")


def order_key(order_id: str) -> Key:
    """Return the key of an order."""
    return {"pk": f"ORDER#{order_id}", "sk": "ORDER"}


def order_id_of(item: Item) -> str:
    """Return the id of a stored order, whole or as the index has it."""
    return str(item["pk"]).removeprefix("ORDER#")
