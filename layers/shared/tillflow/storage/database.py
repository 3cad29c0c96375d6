"""
Reads. (`commit.py` writes.) Consistent, but for indexes, which never are.

Each raises Unavailable where DynamoDB does not answer in time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tillflow.errors import Unavailable
from tillflow.runtime import aws, backoff, faults
from tillflow.storage.attributes import Item, from_item, to_attribute, to_item
from tillflow.storage.tables import Key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryOutputTypeDef

_BATCH = 100  # DynamoDB's limit of one BatchGetItem
_MAX_KEY_BYTES = 2048  # DynamoDB's limit of a partition key


def get(table: str, key: Key) -> Item | None:
    """Return the item under *key*, or None. Strongly consistent: one read unit per 4 KB."""
    if not _is_possible(key["pk"]):
        return None
    with faults.unavailable("database"):
        answer = aws.client("dynamodb").get_item(TableName=table, Key=to_item(key), ConsistentRead=True)
    return from_item(answer["Item"]) if "Item" in answer else None


def partition(table: str, pk: str) -> list[Item]:
    """Return every item of one partition in sort-key order. Strongly consistent."""
    if not _is_possible(pk):
        return []
    return list(_pages(table, KeyConditionExpression="pk = :pk", ConsistentRead=True, values={":pk": pk}))


def batch(table: str, keys: Sequence[Key], *, consistent: bool = True) -> Iterator[Item]:
    """Yield the items that exist under *keys*, in any order; one read unit per 4 KB of each, half of that if not *consistent*."""
    for first in range(0, len(keys), _BATCH):
        wanted: Any = {table: {"Keys": [to_item(key) for key in keys[first : first + _BATCH]], "ConsistentRead": consistent}}
        for _ in backoff.attempts(seconds=aws.LONGEST_CALL_SECONDS):
            with faults.unavailable("database"):
                page = aws.client("dynamodb").batch_get_item(RequestItems=wanted)
            yield from map(from_item, page["Responses"][table])
            wanted = page["UnprocessedKeys"]
            if not wanted:
                break
        else:
            raise Unavailable("The database is busy. Send the same request again.")


def between(table: str, index: str, keys: tuple[str, str], pk: str, bounds: tuple[str, str], **options: Any) -> Iterator[Item]:
    """
    Yield the items of an *index* partition whose sort key lies within *bounds* (both included).

    *keys* names the index's partition and sort key; *options* go to DynamoDB's Query (e.g. ScanIndexForward).
    """
    return _pages(table, **_within(index, keys, pk, bounds), **options)


def count(table: str, index: str, keys: tuple[str, str], pk: str, bounds: tuple[str, str]) -> int:
    """Return how many items `between` would yield. It reads them all the same, but brings none."""
    return sum(page["Count"] for page in _answers(table, **_within(index, keys, pk, bounds), Select="COUNT"))


@dataclass(slots=True)
class Run:
    """
    A stretch of one partition: the items whose sort keys lie within *bounds* (both included), from one end.

    It is read *chunk* by chunk as it is iterated, not *consistent* at half the price; `read` says how many items so far.
    """

    table: str
    pk: str
    bounds: tuple[str, str]
    descending: bool
    chunk: int
    consistent: bool = True
    read: int = 0
    _next: Any = None
    _ended: bool = False

    def __post_init__(self) -> None:
        """Know what is empty without asking: DynamoDB takes no bounds that end before they begin."""
        self._ended = self.bounds[0] > self.bounds[1]

    def __iter__(self) -> Iterator[Item]:
        """Yield the items in order."""
        while not self._ended:
            page = self._query(Limit=self.chunk, ConsistentRead=self.consistent)
            self.read += page["Count"]
            yield from map(from_item, page["Items"])

    def count_rest(self, most: int) -> int:
        """Return how many items are left that were not read, up to *most*; half of what it costs to read them."""
        left = 0
        while not self._ended and left < most:
            left += self._query(Limit=most - left, Select="COUNT")["Count"]
        return left

    def _query(self, **options: Any) -> "QueryOutputTypeDef":
        begin = {"ExclusiveStartKey": self._next} if self._next else {}
        low, high = self.bounds
        with faults.unavailable("database"):
            page = aws.client("dynamodb").query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",
                ExpressionAttributeValues=to_item({":pk": self.pk, ":low": low, ":high": high}),
                ScanIndexForward=not self.descending,
                **begin,
                **options,
            )
        self._next = page.get("LastEvaluatedKey")
        self._ended = self._next is None
        return page


def _within(index: str, keys: tuple[str, str], pk: str, bounds: tuple[str, str]) -> dict[str, Any]:
    return {
        "IndexName": index,
        "KeyConditionExpression": "#pk = :pk AND #sk BETWEEN :low AND :high",
        "ExpressionAttributeNames": {"#pk": keys[0], "#sk": keys[1]},
        "values": {":pk": pk, ":low": bounds[0], ":high": bounds[1]},
    }


def _is_possible(pk: str) -> bool:
    """Tell whether there can be such a key: a path may hold an id of any length, which is one that is not there."""
    try:
        return len(pk.encode()) <= _MAX_KEY_BYTES
    except UnicodeEncodeError:
        return False  # half of a character (a lone surrogate)


def _pages(table: str, **query: Any) -> Iterator[Item]:
    for page in _answers(table, **query):
        yield from map(from_item, page["Items"])


def _answers(table: str, *, values: dict[str, Any], **query: Any) -> Iterator["QueryOutputTypeDef"]:
    """Yield every answer to a Query (*values* are its expression's) until there is no more."""
    query |= {"TableName": table, "ExpressionAttributeValues": {name: to_attribute(v) for name, v in values.items()}}
    while True:
        with faults.unavailable("database"):
            page = aws.client("dynamodb").query(**query)
        yield page
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
