"""
DynamoDB in memory as its limits are published, in simulated time: what is too much is throttled, what meets is sent away.

* A partition takes 1,000 write units and 3,000 read units a second (Developer Guide, "Partitions and data distribution"). Each
  partition key has one to itself. There is no burst and no adaptive capacity.
* A transaction has its items to itself while it lasts. Another transaction on one of them is canceled, another write refused
  (`TransactionConflict`); reads are not (Developer Guide, "Transaction conflict handling"). Whatever is refused is billed.
* How long a call takes is not published: *seconds* says.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.faults import passing
from tests.faults.dynamodb import Body, DynamoDB, Refused
from tests.faults.tables import Key

WRITE_UNITS, READ_UNITS = 1000, 3000
_CONFLICT = {"Code": "TransactionConflict", "Message": "simulated"}
_THROTTLED = {"Code": "ThrottlingError", "Message": "simulated"}
_FINE = {"Code": "None"}


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long calls take, at least and at most; *transaction* is for as long as it has its items."""

    read: tuple[float, float] = (0.002, 0.005)
    write: tuple[float, float] = (0.003, 0.006)
    transaction: tuple[float, float] = (0.006, 0.012)
    travel: tuple[float, float] = (0.0005, 0.0015)


class LimitedDynamoDB(DynamoDB):
    """A DynamoDB that has limits, over what is *stored*; *units* are those that it bills, read and written."""

    def __init__(self, stored: DynamoDB, seconds: Seconds, sleep: Callable[[float], None], chance: Random) -> None:
        super().__init__({})
        self.tables = stored.tables
        self.units: Counter[str] = Counter()
        self._seconds, self._sleep, self._chance = seconds, sleep, chance
        self._busy: set[tuple[str, Key]] = set()
        self._used: Counter[tuple[str, str, str, int]] = Counter()
        self._partitions: defaultdict[tuple[str, str], set[Key]] = defaultdict(set)
        for name, table in self.tables.items():
            for key in table.items:
                self._partitions[name, key[0]].add(key)

    def do(self, operation: str, body: Body) -> Body:
        """Do what a request asks for, when its time has passed and if the limits let it (see `DynamoDB.do`)."""
        self._pass(self._seconds.travel)
        match operation:
            case "TransactWriteItems":
                return self._transact(body)
            case "BatchGetItem":
                return self._read_batch(body)
            case "PutItem" | "UpdateItem":
                return self._write(operation, body)
        self._read(body)
        return super().do(operation, body)

    def _pass(self, between: tuple[float, float]) -> None:
        self._sleep(self._chance.uniform(*between))

    def _takes(self, kind: str, table: str, pk: str, units: int, most: int) -> bool:
        """Tell whether a partition takes so many more units in this second; billed are they all the same."""
        self.units[kind] += units
        place = kind, table, pk, int(passing.waited())
        self._used[place] += units
        return self._used[place] <= most

    def _read(self, body: Body) -> None:
        self._pass(self._seconds.read)
        pk = body["Key"]["pk"]["S"] if "Key" in body else body["ExpressionAttributeValues"][":pk"]["S"]
        if not self._takes("read", body["TableName"], pk, 1, READ_UNITS):
            raise Refused("ProvisionedThroughputExceededException", "simulated")

    def _read_batch(self, body: Body) -> Body:
        self._pass(self._seconds.read)
        ((table, wanted),) = body["RequestItems"].items()
        taken = [key for key in wanted["Keys"] if self._takes("read", table, key["pk"]["S"], 1, READ_UNITS)]
        answer = super().do("BatchGetItem", {"RequestItems": {table: wanted | {"Keys": taken}}})
        left = [key for key in wanted["Keys"] if key not in taken]
        return answer | {"UnprocessedKeys": {table: wanted | {"Keys": left}} if left else {}}

    def _write(self, operation: str, body: Body) -> Body:
        self._pass(self._seconds.write)
        place = body["TableName"], self._key("Put" if operation == "PutItem" else "Update", body)
        if not self._takes("write", place[0], place[1][0], 1, WRITE_UNITS):
            raise Refused("ProvisionedThroughputExceededException", "simulated")
        if place in self._busy:
            raise Refused("TransactionConflictException", "simulated")
        return super().do(operation, body)

    def _transact(self, body: Body) -> Body:
        actions = [pair for item in body["TransactItems"] for pair in item.items()]
        places = [(action["TableName"], self._key(kind, action)) for kind, action in actions]
        takes = [self._takes("write", table, key[0], 2, WRITE_UNITS) for table, key in places]
        reasons = [
            _THROTTLED if not taken else _CONFLICT if place in self._busy else _FINE
            for taken, place in zip(takes, places, strict=True)
        ]
        if any(reason is not _FINE for reason in reasons):
            raise Refused("TransactionCanceledException", CancellationReasons=reasons)
        self._busy.update(places)
        try:
            self._pass(self._seconds.transaction)
            return super().do("TransactWriteItems", body)
        finally:
            self._busy.difference_update(places)

    # Of thousands of items a query must not look at each.

    def _do_Query(self, body: Body) -> Body:  # noqa: N802 - the operation's name
        if "IndexName" in body:
            return super()._do_Query(body)
        pk = body["ExpressionAttributeValues"][":pk"]["S"]
        items = self.tables[body["TableName"]].items
        found = [items[key] for key in sorted(self._partitions[body["TableName"], pk])]
        return {"Items": found, "Count": len(found)}

    def _apply(self, changes: Any) -> None:
        changes = list(changes)
        super()._apply(changes)
        for change in changes:
            self._partitions[change.table, change.key[0]].add(change.key)
