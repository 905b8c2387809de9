"""How well a model finds the profile of a molecule that it has not seen, and the molecule of a profile."""
