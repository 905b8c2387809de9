"""Models of properties by name: each learns from blocks of features and is saved without pickling."""

from cytomol.learners import boosting, forest, kernel, neighbours, perceptron, stack
from cytomol.learners.base import Learning, Matrix, Model, models

__all__ = [
    "Learning",
    "Matrix",
    "Model",
    "boosting",
    "forest",
    "kernel",
    "models",
    "neighbours",
    "perceptron",
    "stack",
]
