"""Saga step: charge the order's total, once."""

from tillflow.contexts.order_saga.service import charge_payment
from tillflow.contexts.order_saga.step import step

handler = step(charge_payment)
