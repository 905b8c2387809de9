"""How well stated uncertainty holds on molecules of new scaffolds, by the way it is fitted."""
