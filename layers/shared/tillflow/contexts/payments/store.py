"""Payments in DynamoDB: one item an order."""

from collections.abc import Callable
from datetime import datetime

from tillflow.contexts.payments import tables
from tillflow.storage import database
from tillflow.storage.attributes import Item
from tillflow.storage.commit import Commit, absent, when
from tillflow.values import clock


def find(order_id: str) -> Item | None:
    """Return the order's payment as stored, or None."""
    return database.get(tables.payments(), tables.payment_key(order_id))


def add(commit: Commit, order_id: str, payment: Item, otherwise: Callable[[Item], Exception]) -> None:
    """Store the order's payment; *otherwise* gets the one that is there."""
    item = tables.payment_key(order_id) | payment
    commit.put(tables.payments(), item, when=absent(), otherwise=lambda found: otherwise(found or {}))


def turn(commit: Commit, order_id: str, before: str, after: str, at: datetime, otherwise: Callable[[], Exception]) -> None:
    """Give the payment another status, from *before*."""
    commit.update(
        tables.payments(),
        tables.payment_key(order_id),
        change={"status": after, "updated_at": clock.iso(at)},
        when=when("#status = :before", before=before),
        otherwise=lambda _: otherwise(),
    )
