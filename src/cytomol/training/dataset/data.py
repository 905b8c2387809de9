"""What pretraining draws its batches from, and how a batch is drawn."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.artifact.batches import BatchBuilder
from cytomol.chem.store import MoleculeStore
from cytomol.context import ContextGraph, follow_walks
from cytomol.corpus.correction import GroupCorrection
from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.typical import TypicalProfile
from cytomol.nn.batch import Batch, Dimensions, Movable
from cytomol.training.dataset.profile_inputs import ProfileInput
from cytomol.training.dataset.targets import Target

__all__ = ["Draw", "PretrainData", "split_epoch", "stream"]

# Purposes of random numbers: each has its own stream, so that none disturbs another.
ORDER, WALK, TORCH, VALIDATION = range(4)


def stream(seed: int, purpose: int, *place: int) -> np.random.Generator:
    """Return the random numbers for one purpose at one place (epoch, batch, process).

    They depend on nothing that happened before, so training resumes anywhere bit for bit.
    """
    # The length goes in because a seed sequence takes no notice of zeros at its end.
    return np.random.default_rng([seed, purpose, len(place), *place])


def split_epoch(
    rows: NDArray[np.int64], batch_size: int, rng: np.random.Generator | None
) -> list[NDArray[np.int64]]:
    """Deal ``rows`` into batches whose sizes differ by one at most (in order without ``rng``).

    No molecule is dropped and no batch is left with a handful, on which batch norm would be noise.
    """
    if not len(rows):
        return []
    dealt = rows if rng is None else rng.permutation(rows)
    return np.array_split(dealt, -(-len(rows) // batch_size))


@dataclass(frozen=True)
class Draw(Movable):
    """What decides a batch: its molecules, and the random numbers of their walks.

    Attributes
    ----------
    rows
        Molecules, int64, shape (B,).
    steps
        Random numbers in [0, 1) that choose among neighbours, float64, shape (L, B).
    atoms, edges
        Atoms and directed edges of all these molecules.
    validation
        Let profiles of held-out molecules be targets.
    whole
        Molecules of the step in all processes that train together; None where these are all.
    """

    rows: torch.Tensor
    steps: torch.Tensor
    atoms: int
    edges: int
    validation: bool
    whole: int | None = None


@dataclass(frozen=True)
class PretrainData:
    """Everything a batch is made of.

    Attributes
    ----------
    store
        All molecules of the corpus.
    graph
        Context graph.
    builder
        Builds the molecular views.
    targets
        Target spaces by name.
    profiles
        Modalities that enter as input, by name; empty for methods without.
    scalers, input_scalers
        Scaler of each modality as a target, and as an input.
    train, validation
        Valid molecules of each side, int64.
    walk_length
        Steps of a walk.
    dimensions
        Sizes for the method.
    modalities
        Kind, entity and column names of each modality as it is learnt from, pooled ones as one.
    typical
        Mean and spread of the training profiles of each modality.
    corrections
        How the profiles of a modality were corrected for plate or library, where they were.
    """

    store: MoleculeStore
    graph: ContextGraph
    builder: BatchBuilder
    targets: dict[str, Target]
    profiles: dict[str, ProfileInput]
    scalers: dict[str, FeatureScaler]
    input_scalers: dict[str, FeatureScaler]
    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    walk_length: int
    dimensions: Dimensions
    modalities: dict[str, dict[str, Any]] = field(default_factory=dict)
    typical: dict[str, TypicalProfile] = field(default_factory=dict)
    corrections: dict[str, GroupCorrection] = field(default_factory=dict)

    def batch(
        self,
        rows: NDArray[np.int64],
        rng: np.random.Generator,
        *,
        validation: bool = False,
        part: slice | None = None,
    ) -> Batch:
        """Return views, profiles and walk targets of molecules ``rows``.

        Parameters
        ----------
        rows
            Molecules of the step, int64, shape (B,).
        rng
            Randomness of the walks.
        validation
            Let profiles of held-out molecules be targets.
        part
            Which of the molecules to return; all of them when None. A molecule's walk does not depend on it.
        """
        own, steps = self._part(rows, rng, part)
        views = self.builder.build(self.store, own)
        nodes, weights = follow_walks(self.graph, own + self.graph.offsets["molecule"], steps)
        sums = {
            name: target.sums(nodes, weights, validation=validation) for name, target in self.targets.items()
        }
        whole = None if part is None else len(rows)
        return replace(self.with_profiles(views, own), targets=sums, whole=whole)

    def draw(
        self,
        rows: NDArray[np.int64],
        rng: np.random.Generator,
        *,
        validation: bool = False,
        part: slice | None = None,
    ) -> Draw:
        """Return what decides a batch; parameters as of :meth:`batch`.

        It is a few numbers for each molecule, so that it is quickly moved to where a batch is made
        (``training.resident``).
        """
        own, steps = self._part(rows, rng, part)
        atoms, edges = (
            int((offsets[own + 1] - offsets[own]).sum())
            for offsets in (self.store.atom_offsets, self.store.edge_offsets)
        )
        whole = None if part is None else len(rows)
        return Draw(torch.from_numpy(own), torch.from_numpy(steps), atoms, edges, validation, whole)

    def _part(
        self, rows: NDArray[np.int64], rng: np.random.Generator, part: slice | None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return molecules and the random numbers of their walks, of those drawn for the whole step."""
        rows = np.asarray(rows, np.int64)
        steps = rng.random((self.walk_length, len(rows)))
        if part is None:
            return rows, steps
        return rows[part], np.ascontiguousarray(steps[:, part])

    def with_profiles(self, batch: Batch, rows: NDArray[np.int64]) -> Batch:
        """Return ``batch`` with the profiles of its molecules."""
        return replace(
            batch, responses={name: profile.response(rows) for name, profile in self.profiles.items()}
        )
