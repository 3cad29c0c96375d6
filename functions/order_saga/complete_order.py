"""Saga step: turn the reservation into a sale and confirm the order."""

from tillflow.contexts.order_saga.service import complete_order
from tillflow.contexts.order_saga.step import step

handler = step(complete_order)
