"""What happens on the stack: its logs, and the story of an order."""
