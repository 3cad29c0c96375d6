"""Saga step: reserve everything the order wants, or nothing."""

from tillflow.contexts.order_saga.service import reserve_stock
from tillflow.contexts.order_saga.step import step

handler = step(reserve_stock)
