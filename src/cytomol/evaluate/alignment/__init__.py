"""How far molecules and the modalities of their cells have come to one space."""
