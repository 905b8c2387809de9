"""What learns tasks from blocks of features: each in a file of its own, registered by name."""

from cytomol.learners import boosting, forest, kernel, neighbours
from cytomol.learners.base import Learner, Learning, Live, Matrix, learners

__all__ = [
    "Learner",
    "Learning",
    "Live",
    "Matrix",
    "boosting",
    "forest",
    "kernel",
    "learners",
    "neighbours",
]

# These load torch, which takes longer than all others together need to answer a molecule.
learners.register_later("cytomol.learners.head.learner", "head")
learners.register_later("cytomol.learners.perceptron", "mlp", "mlp-embedding")
learners.register_later("cytomol.learners.stack", "cytomol", "cytomol-refit")
