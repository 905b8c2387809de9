"""How a method bears profiles that are missing: hidden in pretraining, and where the model is used."""
