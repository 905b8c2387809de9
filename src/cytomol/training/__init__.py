"""A corpus becomes a backbone."""
