"""Plain values: moments, ids, money, text. They know nothing of the rest."""
