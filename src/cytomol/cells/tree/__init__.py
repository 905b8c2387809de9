"""The tree of a model: paths, members, and what nodes are enriched for."""
