"""Descriptors from shared intermediate results, equal to RDKit's to the last bit."""

UNDEFINED = (ArithmeticError, ValueError, RuntimeError, TypeError, IndexError, KeyError)
"""What RDKit raises where a molecule has no such value (no atoms of a kind, no charges, no bonds)."""

__all__ = ["UNDEFINED"]
