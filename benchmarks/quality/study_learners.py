"""Learners that only the studies ask for; a benchmark takes this module as a plugin.

Each is a learner of the package with other settings, which say what a part of it is worth. Importing this
module registers them.
"""

from __future__ import annotations

from functools import partial

from cytomol.learners import learners
from cytomol.learners.boosting import Boosting
from cytomol.learners.forest import Forest
from cytomol.learners.perceptron import Perceptron
from cytomol.learners.stack import Ensemble

_STRUCTURE = ("counts", "maccs", "descriptors")
_WITH_EMBEDDING = ("embedding", *_STRUCTURE)

_FIVE = ("mlp", "mlp-embedding", "extra-trees", "boosting", "kernel")
"""Members of the recipe before a forest and neighbours joined."""


def _five_refit() -> Ensemble:
    model = Ensemble(kinds=_FIVE, refit=True)
    model.passes = ("cytomol-five",)  # what it is before it is fitted again
    return model


learners.register("cytomol-five")(partial(Ensemble, kinds=_FIVE))
learners.register("cytomol-five-refit")(_five_refit)
learners.register("cytomol-five-plain")(partial(Ensemble, _STRUCTURE, _FIVE))
learners.register("mlp-one")(partial(Perceptron, options={"ensemble": 1}))
learners.register("mlp-embedding-one")(partial(Perceptron, _WITH_EMBEDDING, {"ensemble": 1}))
learners.register("boosting-embedding")(partial(Boosting, _WITH_EMBEDDING))
learners.register("forest-bits")(partial(Forest, ("1d",)))
