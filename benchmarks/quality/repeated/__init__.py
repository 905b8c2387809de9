"""Repeated scaffold-grouped cross-validation: all models on the same folds, and a test that asks for more."""
