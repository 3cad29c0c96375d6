"""
Stock in DynamoDB: keys and access patterns.

| table (env)            | pattern                                                                    | key                                  | reads           | writes          |
|------------------------|----------------------------------------------------------------------------|--------------------------------------|-----------------|-----------------|
| STOCK_TABLE            | one warehouse                                                              | WAREHOUSE#<id>, WAREHOUSE            | 1               | 1; with a key 2 |
| STOCK_TABLE            | one variant                                                                | VARIANT#<id>, VARIANT                | with its levels | 1; with a key 2 |
| STOCK_TABLE            | a variant and all its levels                                               | VARIANT#<id>, (LEVEL#<warehouse id>) | 1 a 4 KB        | 2 a level       |
| STOCK_TABLE            | stock event, or reservation: a pending OUTBOUND one, its id from the order | EVENT#<id>, EVENT                    | 1 a 4 KB        | 2 a KB; sold: 1 |
| STOCK_TABLE `released` | the release audit, newest first                                            | <0..3>, released_at                  | 4 x ½ a 4 KB    | 1 a KB          |
"""

from tillflow.runtime.config import setting
from tillflow.storage.attributes import Item
from tillflow.storage.tables import Key

RELEASED_INDEX = "released"


def stock() -> str:
    """Return the name of the stock table."""
    return setting("STOCK_TABLE")


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
