"""cytomol: molecular representations that know what a molecule does to a cell.

The names below load when they are first used, so that ``import cytomol`` stays light.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from cytomol.version import __version__ as __version__

if TYPE_CHECKING:
    from cytomol.artifact.backbone import Backbone
    from cytomol.chem.featurize import FeatureOptions, featurize
    from cytomol.context import build_context
    from cytomol.corpus import Corpus, read_corpus, write_corpus
    from cytomol.methods.config import CHMRConfig, ContrastiveConfig, InfoAlignConfig
    from cytomol.predict.estimators import CellEncoder, PropertyClassifier, PropertyRegressor
    from cytomol.predict.finetune import finetune
    from cytomol.predict.predictor import Predictor
    from cytomol.training.pretrain import pretrain

# Threads of OpenMP that wait for work spin for milliseconds, on a processor that the loops of nn.kernels
# need. GNU's runtime reads this when torch loads it; what the user has set stands.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# numba shares OpenMP's runtime with torch. It does not read how many threads that may have, takes one for
# each processor, and torch would have as many from then on.
if os.environ.get("OMP_NUM_THREADS", "").isdecimal():
    os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])

_HOMES = {
    "Backbone": "cytomol.artifact.backbone",
    "CHMRConfig": "cytomol.methods.config",
    "CellEncoder": "cytomol.predict.estimators",
    "ContrastiveConfig": "cytomol.methods.config",
    "Corpus": "cytomol.corpus",
    "FeatureOptions": "cytomol.chem.featurize",
    "InfoAlignConfig": "cytomol.methods.config",
    "PropertyClassifier": "cytomol.predict.estimators",
    "Predictor": "cytomol.predict.predictor",
    "PropertyRegressor": "cytomol.predict.estimators",
    "build_context": "cytomol.context",
    "featurize": "cytomol.chem.featurize",
    "finetune": "cytomol.predict.finetune",
    "pretrain": "cytomol.training.pretrain",
    "read_corpus": "cytomol.corpus",
    "write_corpus": "cytomol.corpus",
}

__all__ = [
    "Backbone",
    "CHMRConfig",
    "CellEncoder",
    "ContrastiveConfig",
    "Corpus",
    "FeatureOptions",
    "InfoAlignConfig",
    "Predictor",
    "PropertyClassifier",
    "PropertyRegressor",
    "build_context",
    "featurize",
    "finetune",
    "pretrain",
    "read_corpus",
    "write_corpus",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        message = f"module 'cytomol' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
