"""Saga step: give back the order's stock; nothing is left to undo then."""

from tillflow.contexts.order_saga.service import release_stock
from tillflow.contexts.order_saga.step import step

handler = step(release_stock)
