"""Measurements (`python -m local bench …`): ratios within one run, held against budgets, written to docs/measured.md."""
