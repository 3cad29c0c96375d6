"""A shop on the stack: carts, clients, and the demo's five orders."""
