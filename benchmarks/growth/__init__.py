"""How time and memory grow: with molecules, modalities, feature width and walk length."""
