"""EventFlow: what was on the bus, kept."""
