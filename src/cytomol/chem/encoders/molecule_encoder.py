"""What an encoder is, SMILES in and vectors out, and the table of the known ones."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from cytomol.registry import Registry

__all__ = ["Exposure", "MoleculeEncoder", "Pretraining", "encoders"]

Exposure = Literal["clean", "doubtful", "seen"]


@dataclass(frozen=True)
class Pretraining:
    """What an encoder has learnt from, and which labels it may therefore have seen.

    Attributes
    ----------
    data
        What it was pretrained on; "" where nobody has said.
    caution
        What follows for scores with it, in one sentence.
    sets
        For public sets of labels: clean, doubtful or seen, and why.

    Examples
    --------
    >>> Pretraining.nothing().said("avalon")
    'avalon: learnt from no labels'
    >>> Pretraining("a million assays").said("big")
    'big: pretrained on a million assays'
    """

    data: str = ""
    caution: str = ""
    sets: Mapping[str, tuple[Exposure, str]] = field(default_factory=dict)

    @classmethod
    def nothing(cls) -> Pretraining:
        """Return that of a fixed rule, such as a fingerprint."""
        return cls("none")

    def said(self, name: str) -> str:
        """Return what a user should know of the encoder ``name`` before believing a score."""
        if not self.data:
            return f"{name}: does not say what it was pretrained on, so it may have seen the labels"
        if self.data == "none":
            return f"{name}: learnt from no labels"
        return f"{name}: pretrained on {self.data}" + (f"; {self.caution}" if self.caution else "")


class MoleculeEncoder(ABC):
    """Turns molecules into vectors; what a learner reads beside fingerprints and descriptors.

    A class is registered by name, and its instances are asked for chunks of molecules.

    Attributes
    ----------
    name
        Under which it is registered.
    summary
        One line for help and tables.
    version
        Raised whenever the same SMILES would give another vector. With "" vectors are not kept between runs.
    width
        Length of a vector.
    pretraining
        What it has learnt from.

    Examples
    --------
    RDKit's Avalon fingerprint as an encoder, for ``cytomol finetune --encoder avalon --plugin MODULE``:

    >>> from rdkit import Chem
    >>> from rdkit.Avalon.pyAvalonTools import GetAvalonCountFP
    >>> class Avalon(MoleculeEncoder):
    ...     name, summary, version, width = "avalon", "Avalon counts", "1", 512
    ...     pretraining = Pretraining.nothing()
    ...
    ...     def encode(self, smiles):
    ...         found = [GetAvalonCountFP(Chem.MolFromSmiles(text), self.width) for text in smiles]
    ...         return np.log1p(np.array([list(one) for one in found], dtype=np.float32))
    >>> _ = encoders.register("avalon")(Avalon)
    >>> encoders["avalon"]().encode(["CCO", "c1ccccc1"]).shape
    (2, 512)
    """

    name: str
    summary: ClassVar[str] = ""
    version: str = ""
    width: int
    pretraining: Pretraining = Pretraining()

    @abstractmethod
    def encode(self, smiles: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of valid molecules, shape (n, width); NaN where it has none for a molecule."""

    def check(self) -> None:  # noqa: B027 - most need nothing
        """Refuse to begin where something is missing.

        Raises
        ------
        MissingDependencyError
            If an optional package is not installed.
        """

    def key(self) -> str:
        """Return all that a vector depends on besides the SMILES: versions of code and models."""
        return f"{self.name} {self.version}"

    def digest(self) -> str:
        """Return 12 hexadecimal digits that name this encoder at its present versions."""
        return hashlib.blake2b(self.key().encode(), digest_size=6).hexdigest()

    def reason(self, smiles: str) -> str:  # noqa: ARG002 - an encoder may know more
        """Return why a molecule has no vector."""
        return f"the encoder {self.name} has no vector for it"


encoders: Registry[Callable[[], MoleculeEncoder]] = Registry("encoder")
