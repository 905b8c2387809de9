"""The corpus: molecules, genes, profiles of either, relations between them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.corpus.provenance import Provenance
from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["Corpus", "Entity", "Modality", "Relation"]

Entity = Literal["molecule", "gene"]


@dataclass(frozen=True)
class Modality:
    """One table of measured profiles.

    Attributes
    ----------
    name
        Unique name, which decoders and reports carry.
    kind
        What was measured: "morphology", "expression", "perturbation" or another word.
    entity
        Whose profiles these are.
    rows
        Molecule or gene (its row in the corpus) of each profile, int64, shape (profiles,). An entity
        may have several profiles.
    values
        Measured features as stored, float32, shape (profiles, width); NaN where not measured.
    columns
        Feature names, length width.
    parts
        Name and width of the modalities that it was joined from, side by side; empty for one as measured.
    provenance
        How far the profiles can be trusted, and where they were measured.
    """

    name: str
    kind: str
    entity: Entity
    rows: NDArray[np.int64]
    values: NDArray[np.float32]
    columns: tuple[str, ...]
    parts: tuple[tuple[str, int], ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or len(self.rows) != len(self.values):
            ids = counted(len(self.rows), "profile id", comma=False)
            raise InputError(
                f"{ids} but values of shape {self.values.shape}",
                where=f"modality {self.name}",
            )
        if self.values.shape[1] != len(self.columns):
            raise InputError(
                f"{counted(len(self.columns), 'column name', comma=False)} but "
                f"{counted(self.values.shape[1], 'column', comma=False)}",
                where=f"modality {self.name}",
            )
        self.provenance.check(len(self.rows), f"modality {self.name}")

    @property
    def width(self) -> int:
        """Number of features."""
        return int(self.values.shape[1])

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Modality:
        """Return the modality with some of its profiles."""
        return replace(
            self, rows=self.rows[keep], values=self.values[keep], provenance=self.provenance.take(keep)
        )


@dataclass(frozen=True)
class Relation:
    """Weighted links between entities; weights lie in [-1, 1] (a sign is a direction of effect).

    Attributes
    ----------
    name
        Unique name.
    source_entity, target_entity
        "molecule" or "gene".
    source, target
        Rows of the linked entities, int64, shape (links,).
    weight
        Strength, float32, shape (links,).
    """

    name: str
    source_entity: Entity
    target_entity: Entity
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.source)

    def take(self, keep: NDArray[np.bool_] | NDArray[np.int64]) -> Relation:
        """Return the relation with some of its links."""
        return replace(self, source=self.source[keep], target=self.target[keep], weight=self.weight[keep])


@dataclass(frozen=True)
class Corpus:
    """Molecules and whatever is known of what they do to cells.

    Attributes
    ----------
    molecules
        One row per molecule: ``mol_id``, ``smiles`` and, where known, ``inchikey`` and more.
    genes
        One row per gene: ``gene_id`` and more.
    modalities, relations
        By name, in the order of the manifest.
    notes
        What readers have to report (ids that did not join, rows dropped), one sentence each.

    Examples
    --------
    >>> from cytomol.corpus.planted import generate_planted
    >>> corpus = generate_planted(200).corpus
    >>> len(corpus), list(corpus.modalities)
    (200, [...])
    """

    molecules: pd.DataFrame
    genes: pd.DataFrame
    modalities: dict[str, Modality] = field(default_factory=dict)
    relations: dict[str, Relation] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.molecules)

    @property
    def smiles(self) -> list[str]:
        """SMILES of every molecule, in row order."""
        return self.molecules["smiles"].tolist()

    def select(self, modalities: Collection[str] | None) -> Corpus:
        """Return the corpus with the named modalities only (None keeps all)."""
        if modalities is None:
            return self
        unknown = sorted(set(modalities) - set(self.modalities))
        if unknown:
            raise InputError(
                f"no modality {', '.join(unknown)}", hint=f"this corpus has {', '.join(self.modalities)}"
            )
        return replace(self, modalities={k: m for k, m in self.modalities.items() if k in modalities})

    def without_profiles_of(self, molecules: NDArray[np.bool_]) -> Corpus:
        """Return the corpus without the molecule profiles of the marked molecules.

        Parameters
        ----------
        molecules
            True for each molecule whose profiles leave, shape (molecules,). Structures stay.
        """
        kept = {}
        for name, modality in self.modalities.items():
            kept[name] = modality
            if modality.entity == "molecule" and (leaves := molecules[modality.rows]).any():
                kept[name] = modality.take(~leaves)
        return replace(self, modalities=kept)

    def with_genes(self, keep: NDArray[np.bool_]) -> Corpus:
        """Return the corpus with some of its genes, and what is known of these.

        Parameters
        ----------
        keep
            True for each gene that stays, shape (genes,).
        """
        place = np.cumsum(keep) - 1
        modalities = {}
        for name, modality in self.modalities.items():
            if modality.entity == "gene":
                modality = modality.take(keep[modality.rows])  # noqa: PLW2901
                modality = replace(modality, rows=place[modality.rows])  # noqa: PLW2901
            modalities[name] = modality
        relations = {}
        for name, relation in self.relations.items():
            kept, ends = np.ones(len(relation), np.bool_), {}
            for end, entity in (("source", relation.source_entity), ("target", relation.target_entity)):
                if entity == "gene":
                    rows = getattr(relation, end)
                    kept &= keep[rows]
                    ends[end] = place[rows]
            relations[name] = replace(relation, **ends).take(kept)
        genes = self.genes[keep].reset_index(drop=True)
        return replace(self, genes=genes, modalities=modalities, relations=relations)

    def without_relations_of(self, molecules: NDArray[np.bool_]) -> Corpus:
        """Return the corpus without the relations (to genes and molecules) of the marked molecules.

        Parameters
        ----------
        molecules
            True for each molecule whose relations leave, shape (molecules,). Structures stay.
        """
        kept = {}
        for name, relation in self.relations.items():
            keep = np.ones(len(relation), np.bool_)
            if relation.source_entity == "molecule":
                keep &= ~molecules[relation.source]
            if relation.target_entity == "molecule":
                keep &= ~molecules[relation.target]
            kept[name] = relation.take(keep)
        return replace(self, relations=kept)
