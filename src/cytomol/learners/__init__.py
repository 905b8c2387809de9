"""What learns tasks from blocks of features: each in a file of its own, registered by name."""

from cytomol.learners import boosting, forest, kernel, neighbours, perceptron, stack
from cytomol.learners.base import Learner, Learning, Live, Matrix, learners
from cytomol.learners.head.learner import Head

__all__ = [
    "Head",
    "Learner",
    "Learning",
    "Live",
    "Matrix",
    "boosting",
    "forest",
    "kernel",
    "learners",
    "neighbours",
    "perceptron",
    "stack",
]
