"""A SMILES becomes arrays: parsing, features, fingerprints, descriptors, geometry, scaffolds, similarity."""
