"""Models of properties by name: each learns from blocks of features and is saved without pickling."""

from cytomol.predict.models import boosting, ensemble, forest, kernel, neighbours, perceptron
from cytomol.predict.models.base import Learning, Matrix, Model, models

__all__ = [
    "Learning",
    "Matrix",
    "Model",
    "boosting",
    "ensemble",
    "forest",
    "kernel",
    "models",
    "neighbours",
    "perceptron",
]
