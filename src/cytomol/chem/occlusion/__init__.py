"""Molecules with some of their atoms masked, and what a value owes to each atom."""
