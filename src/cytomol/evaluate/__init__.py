"""Metrics and splits."""
