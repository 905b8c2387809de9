"""What is computed for a molecule, how it is read, and within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, get_args

from cytomol.checked import Checked
from cytomol.chem import fingerprints
from cytomol.chem.descriptors import DESCRIPTOR_NAMES
from cytomol.chem.graphs import Chirality
from cytomol.chem.parse import MAX_ATOMS
from cytomol.chem.standardize import Standardize
from cytomol.errors import ConfigError, ModelDirectoryError

__all__ = ["FeatureOptions"]


@dataclass(frozen=True)
class FeatureOptions:
    """What to compute for each molecule.

    Attributes
    ----------
    graph
        Atoms and bonds with OGB's features.
    morgan_radius, morgan_bits
        Morgan fingerprint; ``morgan_bits=0`` leaves it out.
    maccs
        MACCS keys.
    counts
        Morgan counts of the same radius and width, to 255.
    descriptors
        RDKit's 2D descriptors.
    geometry
        Provider of the 3D view ("rdkit", "unimol"), or None.
    geometry_timeout
        Seconds after which a molecule's 3D view is given up and masked.
    chirality
        "canonical": features are those of the molecule, however it is written. "as_written": RDKit's own
        tags of stereocentres, atom maps and order of atoms, as in the papers.
    standardize
        "keep" molecules as they are, or read the "parent": the largest part, uncharged.
    max_atoms
        Atoms (hydrogens apart) beyond which a molecule is refused.
    molecule_timeout
        Seconds of processor time after which a molecule is given up.

    Examples
    --------
    >>> FeatureOptions(morgan_bits=2048).widths
    {'morgan': 2048, 'maccs': 167}
    """

    graph: bool = True
    morgan_radius: int = 4
    morgan_bits: int = 1024
    maccs: bool = True
    counts: bool = False
    descriptors: bool = False
    geometry: str | None = None
    geometry_timeout: float = 20.0
    chirality: Chirality = "canonical"
    standardize: Standardize = "keep"
    max_atoms: int = MAX_ATOMS
    molecule_timeout: float = 20.0

    @classmethod
    def saved(cls, options: Mapping[str, Any]) -> Self:
        """Return options as a directory holds them; older ones know no choice of chirality."""
        saved = Checked({**vars(cls()), "chirality": "as_written", **options}, {}, "feature options")
        if unknown := sorted(map(str, set(options) - set(vars(cls())))):
            raise ModelDirectoryError(f"feature options: {unknown[0][:40]!r} is unknown")
        for name, most in (("morgan_radius", 64), ("morgan_bits", 1 << 20), ("max_atoms", 10**9)):
            saved.whole(name, 0, most)
        for name in ("graph", "maccs", "counts", "descriptors"):
            saved.flag(name)
        for name in ("geometry_timeout", "molecule_timeout"):
            saved.real(name, 0)
        saved.word("chirality", get_args(Chirality))
        saved.word("standardize", get_args(Standardize))
        if saved.table["geometry"] is not None:
            saved.word("geometry")
        return cls(**saved.table)

    def __post_init__(self) -> None:
        if self.morgan_radius < 0 or self.morgan_bits < 0 or self.geometry_timeout <= 0:
            raise ConfigError(
                f"cannot featurize with morgan_radius {self.morgan_radius}, morgan_bits {self.morgan_bits}"
                f" and geometry_timeout {self.geometry_timeout} s",
                where="feature options",
                hint="morgan_radius and morgan_bits are 0 or more, geometry_timeout is above 0",
            )
        if self.counts and not self.morgan_bits:
            raise ConfigError("counts need morgan_bits above 0", where="feature options")
        if self.max_atoms < 1 or not self.molecule_timeout > 0:
            raise ConfigError(
                f"cannot featurize with max_atoms {self.max_atoms} and molecule_timeout"
                f" {self.molecule_timeout} s",
                where="feature options",
                hint="both are above 0",
            )

    def fingerprint(self, radius: int, bits: int, *, counts: bool = False) -> FeatureOptions:
        """Return the options of one Morgan fingerprint of the molecules as these options read them."""
        return replace(
            self,
            graph=False,
            morgan_radius=radius,
            morgan_bits=bits,
            maccs=False,
            counts=counts,
            descriptors=False,
            geometry=None,
        )

    @property
    def widths(self) -> dict[str, int]:
        """Unpacked width of each block but geometry, in the store's order."""
        sizes = {
            "morgan": self.morgan_bits,
            "maccs": fingerprints.MACCS_BITS * self.maccs,
            "counts": self.morgan_bits * self.counts,
            "descriptors": len(DESCRIPTOR_NAMES) * self.descriptors,
        }
        return {name: width for name, width in sizes.items() if width}
