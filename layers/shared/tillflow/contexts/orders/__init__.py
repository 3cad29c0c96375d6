"""Orders: signed carts become orders, once."""
