"""What is compared: molecules and their profiles as a model sees them, one profile a molecule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import TrainedModality, trained_modality
from cytomol.cells.space import CellSpace
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.corpus.lift import molecule_profiles
from cytomol.corpus.schema import Corpus
from cytomol.counted import agreeing
from cytomol.errors import InputError
from cytomol.methods import methods
from cytomol.training.dataset.exclude import molecule_groups

__all__ = ["MOLECULE", "Seen", "compared_modalities", "features", "places", "seen", "untrained"]

MOLECULE = "molecule"
_NOTHING = FeatureOptions(graph=False, morgan_bits=64)  # enough to know whether a molecule can be read


@dataclass(frozen=True)
class Seen:
    """Molecules, and the profile of each in every modality, before a model places them.

    Attributes
    ----------
    rows
        Molecules, rows of the corpus, int64, shape (n,).
    smiles, ids
        Of these molecules.
    profiles
        Profile of each in measured units, corrected as in training, shape (n, width) by modality; NaN
        where a molecule has none.
    """

    rows: NDArray[np.int64]
    smiles: list[str]
    ids: list[str]
    profiles: dict[str, NDArray[np.float32]]

    def having(self, *names: str) -> NDArray[np.int64]:
        """Return the places of the molecules that have a profile of each named modality."""
        known = np.ones(len(self.rows), np.bool_)
        for name in names:
            if name != MOLECULE:
                known &= ~np.isnan(self.profiles[name]).all(axis=1)
        return np.flatnonzero(known)


def compared_modalities(
    backbone: Backbone, corpus: Corpus, chosen: Iterable[str] = ()
) -> list[TrainedModality]:
    """Return the modalities that a model has learnt from and a corpus holds; the chosen ones alone.

    Raises
    ------
    InputError
        If there is none, or a chosen one is unknown to the model or the corpus.
    """
    names = list(dict.fromkeys(chosen))
    if not names:
        names = [name for name in backbone.modalities if name in corpus.modalities]
        if not names:
            known = ", ".join(backbone.modalities) or "none"
            raise InputError(
                f"the corpus has no modality that the model knows ({known})",
                hint=f"the corpus has {', '.join(corpus.modalities) or 'none'}",
            )
    found = [trained_modality(backbone, name) for name in names]
    corpus.select(names)  # one that it lacks is said now
    return found


def seen(
    corpus: Corpus,
    modalities: Iterable[TrainedModality],
    *,
    only: NDArray[np.bool_] | None = None,
    most: int = 2000,
    seed: int = 0,
) -> Seen:
    """Draw molecules that have a profile, one of each connectivity, and return their profiles.

    Parameters
    ----------
    corpus
        The corpus.
    modalities
        Of a model, each with a table of that name in the corpus.
    only
        Molecules that may be drawn, bool, shape (molecules,); all by default.
    most
        How many are drawn.
    seed
        Seed of the draw.

    Raises
    ------
    InputError
        If features are absent from a table, or fewer than two molecules have a profile.
    """
    tables: dict[str, tuple[NDArray[np.int64], NDArray[np.float32]]] = {}
    profiled = np.zeros(len(corpus), np.bool_)
    for one in modalities:
        tables[one.name] = _profiles(corpus, one)
        profiled[tables[one.name][0]] = True
    chosen = np.flatnonzero(profiled if only is None else profiled & only)
    if len(chosen) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, most, replace=False))
    chosen = _distinct(chosen, corpus)
    if len(chosen) < 2:
        raise InputError(
            f"{agreeing(len(chosen), 'readable molecule', 'has', 'have')} a profile",
            hint="at least 2 are needed, better hundreds",
        )
    profiles = {}
    for name, (rows, values) in tables.items():
        place = np.full(len(corpus), -1, np.int64)
        place[rows] = np.arange(len(rows))
        found = np.full((len(chosen), values.shape[1]), np.nan, np.float32)
        has = place[chosen] >= 0
        found[has] = values[place[chosen[has]]]
        profiles[name] = found
    ids = corpus.molecules["mol_id"].to_numpy(str)[chosen]
    return Seen(chosen, [corpus.smiles[row] for row in chosen], ids.tolist(), profiles)


def places(backbone: Backbone, table: Seen, name: str, modality: TrainedModality) -> NDArray[np.float32]:
    """Return where a model places the molecules or their profiles, rows of length 1.

    Parameters
    ----------
    backbone
        The model.
    table
        Who is placed.
    name
        "molecule", or a modality.
    modality
        In whose space molecules are placed, where each modality has its own.
    """
    space = CellSpace.of(replace(modality, backbone=backbone))
    if name == MOLECULE:
        return space.molecules(table.smiles)[0]
    own = CellSpace.of(TrainedModality(backbone, name))
    return own.profiles(table.profiles[name])


def features(backbone: Backbone, table: Seen, name: str) -> NDArray[np.float32]:
    """Return what a model starts from, a row for each molecule: fingerprints, or scaled profiles."""
    if name == MOLECULE:
        config = backbone.config
        options = FeatureOptions(
            graph=False, morgan_radius=config.morgan_radius, morgan_bits=config.morgan_bits
        )
        block = featurize(table.smiles, options).blocks["morgan"]
        bits = np.unpackbits(block, axis=1, bitorder="little")[:, : config.morgan_bits]
        return bits.astype(np.float32)
    values = table.profiles[name]
    scaled = np.clip(backbone.scalers[name].transform(values), 0, 1)
    filled = np.where(np.isnan(scaled), TrainedModality(backbone, name).typical.scaled, scaled)
    return np.asarray(np.where(np.isnan(values).all(axis=1, keepdims=True), np.nan, filled), np.float32)


def untrained(backbone: Backbone) -> Backbone:
    """Return a model before its training: its weights drawn by its seed."""
    kind = methods[backbone.name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(backbone.config.seed)
        method = kind.from_config(backbone.config, backbone.dimensions)
        if backbone.config.zero_biases:
            method.zero_biases()
    return replace(backbone, method=method.eval().to(backbone.device))


def _distinct(chosen: NDArray[np.int64], corpus: Corpus) -> NDArray[np.int64]:
    """Return the readable ones of some molecules, and the first of those that share a connectivity."""
    chosen = chosen[np.asarray(featurize([corpus.smiles[row] for row in chosen], _NOTHING).valid)]
    drawn = replace(corpus, molecules=corpus.molecules.iloc[chosen], modalities={}, relations={})
    _, first = np.unique(molecule_groups(drawn), return_index=True)
    return chosen[np.sort(first)]


def _profiles(corpus: Corpus, one: TrainedModality) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the molecules with a profile and the mean of their repeats, in the features of the model."""
    modality = corpus.modalities[one.name]
    values = one.aligned(modality.values, modality.columns, where=f"modality {one.name}")
    values = one.corrected(values, modality.provenance.frame())
    aligned = replace(modality, values=values, columns=one.columns)
    one_table = replace(corpus, modalities={**corpus.modalities, one.name: aligned})
    return molecule_profiles(one_table, one.name)
