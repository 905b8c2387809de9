"""What learns tasks from blocks of features: each in a file of its own, registered by name."""

from cytomol.learners import boosting, forest, kernel, neighbours, perceptron, stack
from cytomol.learners.base import Learner, Learning, Live, Matrix, learners
from cytomol.learners.head import learner as head

__all__ = [
    "Learner",
    "Learning",
    "Live",
    "Matrix",
    "boosting",
    "forest",
    "head",
    "kernel",
    "learners",
    "neighbours",
    "perceptron",
    "stack",
]
