"""Payments: one charge per order at most, through a gateway port."""
