"""Tillflow: what every function of the product shares."""
