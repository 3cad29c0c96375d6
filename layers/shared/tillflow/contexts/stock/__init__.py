"""Stock: warehouses, variants, the ledger, and reservations that never oversell."""
