"""The books of a stack: waiting until every saga has ended, and whether everything adds up then."""

from collections.abc import Iterator, Mapping, Sequence

from local.bench.reconcile import Item, Placed, discrepancies
from local.platform.stack import Stack
from local.wait import until
from tillflow.storage.attributes import from_item

SECONDS_TO_SETTLE = 120


def settle(stack: Stack) -> None:
    """Wait until every saga has ended."""

    def settled() -> bool | None:
        return not any("due_at" in order for order in items(stack, "OrdersTable")) or None

    until(settled, seconds=SECONDS_TO_SETTLE, what="every saga to end")


def reconcile(stack: Stack, placed: Sequence[Placed], stocked: Mapping[str, int]) -> list[str]:
    """Return in words what of the stack's tables does not add up (see `discrepancies`)."""
    tables = {"orders": "OrdersTable", "charges": "SandboxChargesTable", "stock": "StockTable"}
    return discrepancies(placed, stocked, **{name: list(items(stack, table)) for name, table in tables.items()})


def items(stack: Stack, table: str) -> Iterator[Item]:
    """Yield every item of a table (logical id)."""
    for page in stack.aws.dynamodb.get_paginator("scan").paginate(TableName=stack.tables[table], ConsistentRead=True):
        yield from map(from_item, page["Items"])
