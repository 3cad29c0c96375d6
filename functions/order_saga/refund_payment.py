"""Saga step: undo what was charged for the order."""

from tillflow.order_saga.service import refund_payment
from tillflow.order_saga.step import step

handler = step(refund_payment)
