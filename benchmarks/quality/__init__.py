"""How well properties are predicted: baselines and our models on nine sets, and what the cell data add."""
