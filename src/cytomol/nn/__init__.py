"""Torch modules that know nothing of chemistry or files."""
