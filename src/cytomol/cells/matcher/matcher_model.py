"""A matcher as a model directory: fitted on one modality of a corpus, saved, and read again."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import BACKBONE_FOLDER, Backbone, save_backbone
from cytomol.artifact.directory import load_model, write_model
from cytomol.cells.matcher.backbone_blocks import BackboneBlocks
from cytomol.cells.matcher.cell_matcher import CellMatcher, MatcherOptions, scaffold_groups
from cytomol.cells.matcher.matcher_card import matcher_card
from cytomol.cells.matcher.structure_kernel import blocks_of, structure_blocks, structure_store
from cytomol.cells.modality import NamedFeatures
from cytomol.checked import Checked
from cytomol.chem.store import MoleculeStore
from cytomol.corpus.align_features import aligned_profiles
from cytomol.corpus.schema import Modality
from cytomol.counted import counted
from cytomol.errors import InputError, ModelDirectoryError
from cytomol.files import atomic_directory

__all__ = ["KIND", "MatcherModel", "fit_matcher"]

KIND = "matcher"
Blocks = dict[str, NDArray[np.float32]]
Read = Callable[[Sequence[str]], tuple[Blocks, NDArray[np.bool_]]]


@dataclass(eq=False)
class MatcherModel:
    """A :class:`CellMatcher` with all that turns SMILES and tables of profiles into its places.

    Attributes
    ----------
    name, columns
        Modality that it was fitted on, and the names of its features in their order.
    matcher
        The fitted matcher.
    facts
        What it was fitted on and how, for the record.
    digest
        SHA-256 that names the model directory; "" if it was not loaded from one.
    extra
        Reads structures and their embedding by a backbone; None for a matcher on structure alone.
    """

    name: str
    columns: tuple[str, ...]
    matcher: CellMatcher
    facts: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    extra: BackboneBlocks | None = None

    way = "matcher"

    @property
    def modality(self) -> NamedFeatures:
        """The modality, whose features it knows by name: itself."""
        return self

    def store(self, smiles: Sequence[str], *, workers: int | None = None) -> MoleculeStore:
        """Featurize molecules, without the cache; row i answers SMILES i."""
        if self.extra is not None:
            return self.extra.store(smiles, workers=workers)
        return structure_store(smiles, workers=workers, cache=None)

    def molecules(
        self,
        molecules: Sequence[str] | MoleculeStore,
        *,
        batch_size: int = 2048,
        progress: Callable[[int, int], None] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Place molecules: see :class:`~cytomol.cells.space.Space`."""
        parts, valid = [], np.zeros(len(molecules), dtype=np.bool_)
        for start in range(0, len(molecules), batch_size):
            rows = np.arange(start, min(start + batch_size, len(molecules)))
            blocks, valid[rows] = self._blocks(molecules, rows)
            parts.append(self.matcher.molecules(blocks))
            parts[-1][~valid[rows]] = np.nan
            if progress is not None:
                progress(len(rows) + start, len(molecules))
        return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32), valid

    def _blocks(
        self, molecules: Sequence[str] | MoleculeStore, rows: NDArray[np.int64]
    ) -> tuple[Blocks, NDArray[np.bool_]]:
        """Return what the matcher reads of some molecules, and which of these are valid."""
        if isinstance(molecules, MoleculeStore):
            return (blocks_of if self.extra is None else self.extra.blocks_of)(molecules, rows)
        return (self.extra or structure_blocks)([molecules[row] for row in rows])

    def profiles(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Place profiles with the matcher's features in its order; rows of length 1, NaN without a value."""
        return self.matcher.profiles(values)

    def aligned(
        self, values: NDArray[np.float32], columns: tuple[str, ...], *, where: str
    ) -> NDArray[np.float32]:
        """Return profiles with the matcher's features in its order; see :func:`aligned_profiles`."""
        return aligned_profiles(values, columns, self.columns, name=self.name, where=where)

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write the model directory, whole or not at all, with its backbone inside."""
        path = Path(path)
        config = {"modality": self.name, "columns": list(self.columns), "facts": self.facts}
        with atomic_directory(path, force=force) as directory:
            if self.extra is not None:
                save_backbone(self.extra.backbone, directory / BACKBONE_FOLDER)
            write_model(
                directory,
                kind=KIND,
                config=config | {"backbone": self.extra is not None},
                weights={},
                statistics=self.matcher.arrays(),
                texts={"README.md": matcher_card(self.name, len(self.columns), self.facts)},
            )
        return path

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read and verify a model directory that :meth:`save` made.

        Raises
        ------
        ModelDirectoryError
            If the directory is absent, altered or of another kind.
        """
        model = load_model(path, kind=KIND)
        try:
            saved = Checked(model.config, {}, "config.json")
            matcher = CellMatcher.from_arrays(model.statistics)
            name, columns, facts = saved.word("modality"), saved.words("columns"), saved.mapping("facts")
        except ModelDirectoryError as error:
            raise ModelDirectoryError(
                f"lacks a part of a matcher: {error.what}", where=str(path), hint=error.hint
            ) from None
        except (KeyError, TypeError, ValueError, InputError) as error:
            raise ModelDirectoryError(f"lacks a part of a matcher: {error}", where=str(path)) from None
        extra = None
        if model.config.get("backbone", False):  # matchers of earlier days had none
            extra = BackboneBlocks(Backbone.load(model.path / BACKBONE_FOLDER))
        new = cls(name, columns, matcher, facts, model.digest, extra)
        try:  # every part must fit the others
            new.molecules(["C"])
            new.profiles(np.zeros((1, len(columns)), np.float32))
        except (KeyError, ValueError, InputError) as error:
            raise ModelDirectoryError(f"its parts do not fit each other: {error}", where=str(path)) from None
        return new


def fit_matcher(
    smiles: Sequence[str],
    connectivity: Sequence[str],
    modality: Modality,
    *,
    rows: NDArray[np.bool_] | None = None,
    weights: NDArray[np.float64] | None = None,
    options: MatcherOptions | None = None,
    extra: BackboneBlocks | None = None,
    read: Read | None = None,
    say: Callable[[str], None] = lambda text: None,  # noqa: ARG005 - nobody listens
) -> MatcherModel:
    """Fit a matcher on a modality of a corpus.

    Parameters
    ----------
    smiles, connectivity
        Every molecule of the corpus, and its first InChIKey block ("" if unknown). Molecules of a
        connectivity count as one: the matcher reads no stereo.
    modality
        Profiles of molecules.
    rows
        Profiles to learn from, bool, shape (profiles,); None for all.
    weights
        How much each profile counts, shape (profiles,); None for all alike.
    options
        See :class:`MatcherOptions`.
    extra
        Reads structures and their embedding by a backbone; None for structures alone.
    read
        Returns blocks of features of molecules, and which are valid; None reads with ``extra``, or
        structures alone.
    say
        Told what happens, a sentence at a time.

    Raises
    ------
    InputError
        If the profiles are those of genes, or too few are left.

    Examples
    --------
    >>> from cytomol.corpus.planted import generate_planted
    >>> corpus = generate_planted(200).corpus
    >>> keys = [key[:14] for key in corpus.molecules["inchikey"]]
    >>> model = fit_matcher(corpus.smiles, keys, corpus.modalities["morphology"])
    >>> places, valid = model.molecules(["CCO", "no molecule"])
    >>> places.shape[1] == model.profiles(corpus.modalities["morphology"].values).shape[1]
    True
    """
    if modality.entity != "molecule":
        raise InputError(
            f"{modality.name} holds profiles of {modality.entity}s", hint="choose a modality of molecules"
        )
    kept = np.ones(len(modality), dtype=np.bool_) if rows is None else rows
    texts, molecule = _molecules_of(modality.rows[kept], smiles, connectivity)
    blocks, valid = (read or extra or structure_blocks)(texts)
    profiles, molecules = counted(len(molecule), "profile"), counted(len(texts), "molecule")
    say(f"{profiles} of {molecules} ({int((~valid).sum())} invalid)")
    chosen = np.ones(len(molecule)) if weights is None else weights[kept]
    options = options or MatcherOptions()
    matcher = CellMatcher.fit(
        blocks,
        modality.values[kept],
        molecule,
        groups=scaffold_groups(texts),
        weights=np.where(valid[molecule], chosen, 0.0),
        options=options,
    )
    strongest = ", ".join(f"{value:.2f}" for value in matcher.axes.correlations[:3])
    note = "" if extra is None else " (too high where the backbone has learnt from these very profiles)"
    say(f"structure and profile agree on axes of correlation {strongest}, ...{note}")
    facts = {
        "profiles": len(molecule),
        "molecules": len(texts),
        "options": json.loads(json.dumps(asdict(options))),
    }
    return MatcherModel(modality.name, modality.columns, matcher, facts, extra=extra)


def _molecules_of(
    rows: NDArray[np.int64], smiles: Sequence[str], connectivity: Sequence[str]
) -> tuple[list[str], NDArray[np.int64]]:
    """Return the SMILES of the molecules of some profiles, one a connectivity, and the molecule of each."""
    names = np.array([connectivity[row] or f"row {row}" for row in rows], dtype=str)
    _, first, molecule = np.unique(names, return_index=True, return_inverse=True)
    return [smiles[row] for row in rows[first]], molecule.astype(np.int64)
