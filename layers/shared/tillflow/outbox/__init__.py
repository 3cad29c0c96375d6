"""The outbox: from the tables' streams to the bus."""
