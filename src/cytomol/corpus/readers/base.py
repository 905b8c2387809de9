"""What every reader of a corpus format offers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from cytomol.corpus.problems import Problems
from cytomol.corpus.schema import Corpus
from cytomol.registry import Registry

__all__ = ["CorpusReader", "readers"]


class CorpusReader(Protocol):
    """A format in which a corpus, or one table of it, comes."""

    def recognises(self, path: Path) -> bool:
        """Whether the file or directory looks like this format."""
        ...

    def read(self, path: Path, problems: Problems) -> Corpus:
        """Read the whole corpus."""
        ...


readers: Registry[type[CorpusReader]] = Registry("corpus format")
