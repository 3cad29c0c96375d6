"""
Stock in DynamoDB: keys and access patterns.

| table (env)            | pattern                                                                                                                      | key                                          | reads                                               | writes                                                                                                                        |
|------------------------|------------------------------------------------------------------------------------------------------------------------------|----------------------------------------------|-----------------------------------------------------|-------------------------------------------------------------------------------------------------------------------------------|
| STOCK_TABLE            | one warehouse                                                                                                                | WAREHOUSE#<id>, WAREHOUSE                    | 1                                                   | 1 and 1 `listed`; with a key or sellers 2; changed 1, and 2 `listed` when (de)activated                                       |
| STOCK_TABLE            | where a seller is, or was, named                                                                                             | SELLER#<user id>, WAREHOUSE#<warehouse id>   | 1 a 4 KB, and ½ a warehouse                         | 2                                                                                                                             |
| STOCK_TABLE            | one variant                                                                                                                  | VARIANT#<id>, VARIANT                        | 1; in an order with its levels; its homes ½         | 1 and 1 `listed`; with a key 2; changed 1, and 2 `listed` when (de)activated; 1 a home                                        |
| STOCK_TABLE            | a variant and all its levels                                                                                                 | VARIANT#<id>, (LEVEL#<warehouse id>)         | 1 a 4 KB; of a page ½ each                          | 2 a level; a new one 2 and 1 `listed` afterwards; 2 each when its warehouse is (de)activated                                  |
| STOCK_TABLE            | a shard of a variant's levels, where it has more than one (1 to 255)                                                         | VARIANT#<id>#<shard>, (LEVEL#<warehouse id>) | 1; 1 each where one does not serve an order         | 2 a shard; shifted 2 each, and 4                                                                                              |
| STOCK_TABLE            | stock event, or reservation: a pending OUTBOUND one, its id from the order                                                   | EVENT#<id>, EVENT                            | 1 a 4 KB                                            | 2 a KB; sold: 1                                                                                                               |
| STOCK_TABLE            | an import; those that run                                                                                                    | IMPORT#<id>, IMPORT                          | 1                                                   | 1 and 1 `listed`; completed 1 and 1                                                                                           |
| STOCK_TABLE            | what was imported, 500 rows at most                                                                                          | IMPORT#<id>, PIECE#<digest>#<number>         | 1 a 4 KB, a few times                               | 1 a KB                                                                                                                        |
| STOCK_TABLE            | what became of the rows of a piece                                                                                           | IMPORT#<id>, PROGRESS#<number>               | ½ a 4 KB                                            | 2 a KB with each stock event                                                                                                  |
| STOCK_TABLE `released` | the release audit, newest first                                                                                              | <0..3>, released_at                          | 4 x ½ a 4 KB                                        | 1 a KB                                                                                                                        |
| STOCK_TABLE `listed`   | warehouses by code, variants by SKU, active ones and others; a warehouse's levels by SKU                                     | <what>, listed_as                            | ½ a page and ½ each of it; up to 20 to count 1,000  | 1 in, 1 out; never for a sale or a stock event                                                                                |
| MOVEMENTS_TABLE        | movements that a filter finds, in time order: sales in four partitions (a variant's by warehouse), others by type and reason | <12 characters>, <moment><22 characters>     | 2 to 11 x 1 (sales ½), ½ an event, 6 to count 1,000 | a sale: 2, and 1 a line (2 beyond its homes); another: 6 and 6 a line, twice that where it did not occur when it was recorded |
| MOVEMENTS_TABLE        | stock events that are not in it yet                                                                                          | RECENT, <moment><22 characters>              | 1 a 4 KB                                            | 2 in, 1 out                                                                                                                   |
| MOVEMENTS_TABLE        | which stock event a movement is a warehouse's part of                                                                        | MOVEMENT#<id>, MOVEMENT                      | 1                                                   | 1 a warehouse                                                                                                                 |
| MOVEMENTS_TABLE        | what an audit has counted of a variant in a warehouse                                                                        | CHECKPOINTS#<warehouse id>, <variant id>     | ½                                                   | 1 an audit that looks at it                                                                                                   |
| MOVEMENTS_TABLE        | how far audits have come                                                                                                     | AUDIT, AUDIT                                 | 1                                                   | 1 an audit                                                                                                                    |
"""

from tillflow.runtime.config import setting
from tillflow.storage.attributes import Item
from tillflow.storage.tables import Key
from tillflow.values import ids

RELEASED_INDEX = "released"
# One partition each: masters are written rarely, and one takes a thousand writes a second.
LISTED_INDEX = "listed"
IMPORTS_RUNNING = "IMPORTS RUNNING"
RECENT = "RECENT"
# A list reads a thousand keys, so they are short. 72 bits tell any two partitions apart.
PARTITION_LENGTH = 12
_ID_LENGTH = 22
_NO_PUNCTUATION = str.maketrans("", "", "-T:.Z")


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
    """Return the key of a variant's level in a warehouse: its first shard, and its only one where it has no others."""
    return {"pk": f"VARIANT#{variant_id}", "sk": f"LEVEL#{warehouse_id}"}


def shard_key(variant_id: str, shard: int | str, warehouse_id: str) -> Key:
    """Return the key of any other *shard* of the level (1, 2, …); all of a variant's that have its number share a partition."""
    return {"pk": f"VARIANT#{variant_id}#{shard}", "sk": f"LEVEL#{warehouse_id}"}


def shard_partition(variant_id: str, shard: int) -> str:
    """Return the partition of a *shard* but the first, which shares its variant's."""
    return shard_key(variant_id, shard, "")["pk"]


def seller_key(user_id: str, warehouse_id: str) -> Key:
    """Return the key of what says that a warehouse names, or once named, a seller; a seller's share a partition."""
    return {"pk": f"SELLER#{user_id}", "sk": f"WAREHOUSE#{warehouse_id}"}


def seller_partition(user_id: str) -> str:
    """Return the partition that says where a seller is named."""
    return seller_key(user_id, "")["pk"]


def listed(partition: str, name: str) -> Key:
    """Return where something stands in the index: in a partition of one of the next three kinds, under its name."""
    return {"listed": partition, "listed_as": name}


def warehouses_listed(*, active: bool) -> str:
    """Return the partition of the index that has all warehouses that are as active, by their codes."""
    return "WAREHOUSES" if active else "WAREHOUSES CLOSED"


def variants_listed(*, active: bool) -> str:
    """Return the partition of the index that has all variants that are as active, by their SKUs."""
    return "VARIANTS" if active else "VARIANTS CLOSED"


def levels_listed(warehouse_id: str) -> str:
    """Return the partition of the index that has a warehouse's levels, by their SKUs; they never move (docs/adr/0013)."""
    return f"LEVELS {warehouse_id}"


def import_key(import_id: str) -> Key:
    """Return the key of an import; its partition has what was sent, and what became of it."""
    return {"pk": f"IMPORT#{import_id}", "sk": "IMPORT"}


def piece_key(import_id: str, digest: str, piece: int) -> Key:
    """Return the key of a piece of an import's file, which has this *digest*."""
    return {"pk": f"IMPORT#{import_id}", "sk": f"PIECE#{digest}#{piece:04}"}


def progress_key(import_id: str, piece: int) -> Key:
    """Return the key of what became of the rows of a piece."""
    return {"pk": f"IMPORT#{import_id}", "sk": f"PROGRESS#{piece:04}"}


def is_level(item: Item) -> bool:
    """Tell a level from its variant, which shares the partition."""
    return str(item["sk"]).startswith("LEVEL#")


def warehouse_id_of(item: Item) -> str:
    """Return the warehouse that a stored level is in, or that a seller is named in."""
    return str(item["sk"]).partition("#")[2]


def place_of(level: Item) -> tuple[str, str, int]:
    """Return the variant that a stored level is of, the warehouse that it is in, and which of its shards it is."""
    _, variant_id, *shard = str(level["pk"]).split("#")
    return variant_id, warehouse_id_of(level), int(shard[0]) if shard else 0


def stock_event_key(event_id: str) -> Key:
    """Return the key of a stock event or reservation."""
    return {"pk": f"EVENT#{event_id}", "sk": "EVENT"}


def id_of(item: Item) -> str:
    """Return the id of a stored stock event, reservation, warehouse or variant."""
    return str(item["pk"]).partition("#")[2]


def movements() -> str:
    """Return the name of the table that lists movements."""
    return setting("MOVEMENTS_TABLE")


def entry_key(partition: str, moment: str, movement_id: str) -> Key:
    """Return the key of a movement's entry in a partition (its name in words, however long; see entries.py)."""
    return {"pk": partition_of(partition), "sk": position(moment, movement_id)}


def recent_key(moment: str, event_id: str) -> Key:
    """Return the key of a stock event's entry among those that are not projected yet."""
    return {"pk": RECENT, "sk": position(moment, event_id)}


def movement_key(movement_id: str) -> Key:
    """Return the key of what says which stock event a movement is a part of."""
    return {"pk": f"MOVEMENT#{movement_id}", "sk": "MOVEMENT"}


def partition_of(name: str) -> str:
    """Return the partition of movements that has this name."""
    return ids.short(ids.derived("movements", name))[:PARTITION_LENGTH]


def position(moment: str, movement_id: str) -> str:
    """Return where a movement stands in its partitions: by its moment (ISO 8601, of which the digits), then by its id."""
    return _digits(moment) + ids.short(movement_id)


def bounds(since: str, until: str) -> tuple[str, str]:
    """Return the positions between which all movements of these moments (both included) stand."""
    return _digits(since), f"{_digits(until)}~"  # behind every character of an id


def _digits(moment: str) -> str:
    return moment.translate(_NO_PUNCTUATION)


def position_of(entry: Item) -> str:
    """Return where an entry stands."""
    return str(entry["sk"])


def movement_id_of(entry: Item) -> str:
    """Return the movement that an entry stands for."""
    return ids.unshort(position_of(entry)[-_ID_LENGTH:])


def event_id_of(entry: Item) -> str:
    """Return the stock event that an entry's movement is (a part of)."""
    return str(entry.get("event_id") or movement_id_of(entry))


def moment_of(entry: Item) -> str:
    """Return the moment that an entry stands at (ISO 8601)."""
    digits = position_of(entry)[:-_ID_LENGTH]
    date, time = (digits[:4], digits[4:6], digits[6:8]), (digits[8:10], digits[10:12], digits[12:14])
    return f"{'-'.join(date)}T{':'.join(time)}.{digits[14:]}Z"


def checkpoint_key(variant_id: str, warehouse_id: str) -> Key:
    """Return the key of what audits have counted of a variant in a warehouse."""
    return {"pk": f"CHECKPOINTS#{warehouse_id}", "sk": variant_id}


def checkpoints_partition(warehouse_id: str) -> str:
    """Return the partition of all checkpoints in a warehouse."""
    return checkpoint_key("", warehouse_id)["pk"]


def key_of(item: Item) -> Key:
    """Return the key of a stored item."""
    return {"pk": item["pk"], "sk": item["sk"]}


def audits_key() -> Key:
    """Return the key of what says how far audits have come."""
    return {"pk": "AUDIT", "sk": "AUDIT"}


def checkpoint_of(item: Item) -> tuple[str, str]:
    """Return the variant and the warehouse that a checkpoint is of."""
    return str(item["sk"]), id_of(item)
