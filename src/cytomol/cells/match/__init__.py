"""Molecules and profiles ranked for each other, exactly or by an index."""
