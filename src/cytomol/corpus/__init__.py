"""What pretraining eats: schema, readers, checks, scaling, the planted corpus."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cytomol.corpus.readers import read_corpus
    from cytomol.corpus.schema import Corpus, Modality, Relation
    from cytomol.corpus.write import write_corpus

__all__ = ["Corpus", "Modality", "Relation", "read_corpus", "write_corpus"]

_PLACES = {
    "Corpus": "schema",
    "Modality": "schema",
    "Relation": "schema",
    "read_corpus": "readers",
    "write_corpus": "write",
}


def __getattr__(name: str) -> Any:
    """Load the readers and what they check with when they are first asked for; predictions need neither."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_PLACES[name]}"), name)
