"""Descriptors from shared intermediate results, equal to RDKit's to the last bit."""
