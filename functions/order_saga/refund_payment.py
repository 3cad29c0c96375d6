"""Saga step: undo what was charged for the order."""

from tillflow.contexts.order_saga.service import refund_payment
from tillflow.contexts.order_saga.step import step

handler = step(refund_payment)
