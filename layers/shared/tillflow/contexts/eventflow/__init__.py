"""EventFlow: events come in, are kept, and go to whoever wants them."""
