"""
What the tables of all contexts have in common, and the one table that no context owns.

| table (env)       | pattern                    | key                                 | reads              | writes |
|-------------------|----------------------------|-------------------------------------|--------------------|--------|
| IDEMPOTENCY_TABLE | what was answered to a key | <SHA-256 of operation, caller, key> | 1, after a refusal | 2 a KB |

Every context has such a page, `contexts/<context>/tables.py`, and its keys are spelled nowhere else; `make docs` gathers
the pages in docs/tables.md. Reads and writes are in DynamoDB's capacity units: a strongly consistent read is 1 a 4 KB,
an index's half of that; a write is 1 a KB, in a transaction 2. `4 x` is a query in each partition of an index.

Ids of orders, warehouses, variants, reservations and payments follow from what they stand for (`ids.derived`), so
that a conditional put is the uniqueness check and no lookup item is needed.
"""

from tillflow.runtime.config import setting

type Key = dict[str, str]

# An index has four partitions: DynamoDB lets each be written 1,000 times a second.
INDEX_PARTITIONS = "0123"


def index_partition(of: str) -> str:
    """Return the partition of an index that what has this id (a UUID) is in."""
    return INDEX_PARTITIONS[int(of[0], 16) % len(INDEX_PARTITIONS)]


def idempotency() -> str:
    """Return the name of the idempotency table."""
    return setting("IDEMPOTENCY_TABLE")


def idempotency_key(digest: str) -> Key:
    """Return the key of what was answered to an idempotency key; *digest* is its SHA-256 in hexadecimal."""
    return {"pk": digest}
