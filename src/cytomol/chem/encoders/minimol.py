"""MiniMol (to come)."""
