"""
Payments in DynamoDB: keys and access patterns.

| table (env)           | pattern                               | key                         | reads | writes |
|-----------------------|---------------------------------------|-----------------------------|-------|--------|
| PAYMENTS_TABLE        | the payment of one order              | PAYMENT#<order id>, PAYMENT | 1     | 1      |
| SANDBOX_CHARGES_TABLE | the sandbox gateway's charge of a key | CHARGE#<key>                | 1     | 1      |
"""

from tillflow.runtime.config import setting
from tillflow.storage.tables import Key


def payments() -> str:
    """Return the name of the payments table."""
    return setting("PAYMENTS_TABLE")


def sandbox_charges() -> str:
    """Return the name of the sandbox gateway's table."""
    return setting("SANDBOX_CHARGES_TABLE")


def payment_key(order_id: str) -> Key:
    """Return the key of an order's payment."""
    return {"pk": f"PAYMENT#{order_id}", "sk": "PAYMENT"}
