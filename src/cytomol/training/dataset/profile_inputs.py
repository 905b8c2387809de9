"""One modality as input: measured profiles, what neighbours say, and who has which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from cytomol.chem.similarity import SimilaritySearch, structural_neighbours
from cytomol.context import (
    Propagated,
    distance_matrix,
    held_out_propagate,
    measured_mean,
    neighbour_matrix,
    propagate,
    propagate_as_coded,
)
from cytomol.corpus.lift import molecule_profiles
from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.schema import Corpus
from cytomol.counted import counted
from cytomol.methods.needs import Filling, ProfileNeeds
from cytomol.nn.batch import Account, Response
from cytomol.progress import Reporter
from cytomol.training.dataset.profile_weights import ProfileWeights, molecule_weights

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Neighbours", "ProfileInput", "RowTable", "input_scaler", "profile_input", "profile_inputs"]


@dataclass(frozen=True)
class RowTable:
    """Some rows of a table that would be mostly empty, found by an index.

    Attributes
    ----------
    position
        Where each molecule's row lies in ``values``, int32, shape (molecules,); -1 for none.
    values
        The rows that exist, float32, shape (rows, width).
    """

    position: NDArray[np.int32]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, rows: NDArray[np.int64], values: NDArray[np.float32], molecules: int) -> Self:
        """Keep ``values[k]`` for molecule ``rows[k]``."""
        position = np.full(molecules, -1, np.int32)
        position[rows] = np.arange(len(rows), dtype=np.int32)
        return cls(position, np.ascontiguousarray(values, np.float32))

    def gather(
        self, rows: NDArray[np.int64], otherwise: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the row of each molecule, or ``otherwise`` (width,), and which exist.

        Shapes (B, width) and (B,).
        """
        position = self.position[rows]
        present = position >= 0
        values = np.empty((len(rows), len(otherwise)), np.float32)
        values[:] = otherwise
        values[present] = self.values[position[present]]
        return values, present


@dataclass(frozen=True)
class ProfileInput:
    """One modality as the input of a method; all values scaled as its projector reads them.

    Attributes
    ----------
    measured
        Profiles of the molecules that have one; unmeasured entries hold the column mean.
    augmented
        What propagation gives molecules without a profile (and, where observed rows are not restored,
        those with one); empty when it is switched off.
    held_out
        What the neighbours of a measured molecule say, its own profile held out.
    placeholder
        Column mean of the training profiles, float32, shape (width,).
    weight
        How much each molecule's measured profile counts, float32, shape (molecules,); all alike when None.
    """

    measured: RowTable
    augmented: RowTable
    held_out: RowTable
    placeholder: NDArray[np.float32]
    weight: NDArray[np.float32] | None = None

    @property
    def width(self) -> int:
        """Number of features."""
        return len(self.placeholder)

    def response(self, rows: NDArray[np.int64]) -> Response:
        """Return what is known of molecules, int64, shape (B,), as a batch brings it."""
        measured, observed = self.measured.gather(rows, self.placeholder)
        augmented, reached = self.augmented.gather(rows, self.placeholder)
        augmented[observed & ~reached] = measured[observed & ~reached]
        held_out, held = self.held_out.gather(rows, self.placeholder)
        accounts = ((measured, observed), (augmented, reached | observed), (held_out, held))
        known = [Account(torch.from_numpy(values), torch.from_numpy(there)) for values, there in accounts]
        weight = None if self.weight is None else torch.from_numpy(self.weight[rows])
        return Response(measured=known[0], augmented=known[1], held_out=known[2], weight=weight)


@dataclass(frozen=True)
class Neighbours:
    """Finds the structural neighbours from which missing profiles are filled.

    Attributes
    ----------
    fingerprints
        Packed fingerprints by which molecules are similar, uint8, shape (molecules, bytes).
    search
        How they are compared.
    reporter
        Is told each step.
    """

    fingerprints: NDArray[np.uint8]
    search: SimilaritySearch
    reporter: Reporter

    def matrix(self, filling: Filling) -> csr_matrix:
        """Return the weights of each molecule's neighbours."""
        near = counted(filling.neighbours, "structural neighbour", comma=False)
        with self.reporter.step(f"{near} of each molecule"):
            if filling.way == "authors":
                return distance_matrix(self.fingerprints, filling.neighbours)
            found = structural_neighbours(self.fingerprints, filling.neighbours, self.search)
            W = neighbour_matrix(found.indices, found.similarity)
        self.reporter.say(f"structural neighbours: {found.text()}")
        return W


def profile_inputs(
    corpus: Corpus,
    needs: ProfileNeeds,
    scalers: Mapping[str, FeatureScaler],
    *,
    valid: NDArray[np.bool_],
    held: NDArray[np.bool_],
    neighbours: Neighbours | None,
    seed: int,
    reporter: Reporter,
    weights: Mapping[str, ProfileWeights] | None = None,
) -> tuple[dict[str, ProfileInput], dict[str, FeatureScaler]]:
    """Return the modalities as a method reads them, and how each is scaled.

    Parameters
    ----------
    corpus
        The corpus.
    needs
        How the method reads profiles.
    scalers
        Scaler of each modality as a target.
    valid, held
        Valid molecules, and those held out to validate, bool, shape (molecules,).
    neighbours
        Finds structural neighbours; needed where missing profiles are filled.
    seed
        Seed of the folds whose profiles are held out.
    reporter
        Is told each step.
    weights
        How the profiles of a modality weigh; all alike for a modality that is not there.
    """
    filling, W = needs.filling, None
    if filling is not None and corpus.modalities:
        assert neighbours is not None
        W = neighbours.matrix(filling)
    inputs, read_as = {}, {}
    for name in corpus.modalities:
        with reporter.step(f"read {name}" if W is None else f"propagate {name}"):
            rows, values = molecule_profiles(corpus, name)
            learnt = values[~held[rows]] if (~held[rows]).any() else values
            read_as[name] = input_scaler(needs.scaling, scalers[name], learnt)
            scaled = read_as[name].transform(values)
            if needs.scaling == "minmax":
                np.clip(scaled, 0, 1, out=scaled)
            usable = valid[rows]
            found = profile_input(rows[usable], scaled[usable], held, W, filling, seed=seed)
            inputs[name] = replace(
                found, weight=molecule_weights(corpus, name, weights.get(name) if weights else None)
            )
    return inputs, read_as


def profile_input(
    rows: NDArray[np.int64],
    values: NDArray[np.float32],
    held: NDArray[np.bool_],
    W: csr_matrix | None,
    filling: Filling | None,
    *,
    seed: int,
) -> ProfileInput:
    """Complete one modality from structural neighbours.

    Only profiles of training molecules spread. A validation molecule keeps its measured profile, and
    what its neighbours say is held out of its own value anyway.

    Parameters
    ----------
    rows
        Molecules with a profile, sorted, int64, shape (m,).
    values
        Their scaled profiles, shape (m, width); NaN where not measured.
    held
        Validation molecules, bool, shape (molecules,).
    W
        Neighbour matrix.
    filling
        How missing profiles are filled; None leaves them at the placeholder.
    seed
        Seed of the folds whose profiles are held out.
    """
    molecules, learnt = len(held), ~held[rows]
    known = values[learnt] if learnt.any() else values
    placeholder = _column_means(known)
    values = np.where(np.isnan(values), placeholder, values)
    measured = RowTable.of(rows, values, molecules)
    nothing = RowTable.of(rows[:0], values[:0], molecules)
    if W is None or filling is None or not learnt.any():
        return ProfileInput(measured, nothing, nothing, placeholder)
    spread, told = _spread(W, values[learnt], rows[learnt], filling, seed)
    augmented = RowTable.of(spread.rows, spread.values, molecules)
    if filling.way == "nearest" or (filling.way == "propagation" and filling.restore):
        augmented.position[rows] = -1  # the measured profile stands there
    if told is None:
        return ProfileInput(measured, augmented, nothing, placeholder)
    told = _joined(told, _of_rows(spread, rows[~learnt]))
    return ProfileInput(measured, augmented, RowTable.of(told.rows, told.values, molecules), placeholder)


def _spread(
    W: csr_matrix, values: NDArray[np.float32], rows: NDArray[np.int64], filling: Filling, seed: int
) -> tuple[Propagated, Propagated | None]:
    """Return what neighbours say of all molecules, and of measured ones without their own value.

    The second is None where the method does not read it.
    """
    steps, fill = filling.steps, filling.unknown
    match filling.way:
        case "nearest":  # reads neighbours alone, so own values are held out of it anyway
            spread = measured_mean(W, values, rows)
            return spread, _of_rows(spread, rows) if filling.held_out else None
        case "authors":
            spread = propagate_as_coded(W, values, rows, steps=steps)
            return spread, _of_rows(spread, rows) if filling.held_out else None
        case _:
            wanted = np.ones(W.shape[0], np.bool_)
            wanted[rows] = not filling.restore  # what is restored is known already
            spread = propagate(
                W, values, rows, steps=steps, restore=filling.restore, fill=fill, wanted=wanted
            )
            if not filling.held_out:
                return spread, None
            return spread, held_out_propagate(W, values, rows, steps=steps, seed=seed, fill=fill)


def input_scaler(
    kind: Literal["minmax", "zscore", "raw"], target: FeatureScaler, values: NDArray[np.float32]
) -> FeatureScaler:
    """Return how a projector reads profiles.

    Parameters
    ----------
    kind
        As the targets are scaled (minmax), to mean 0 and variance 1 (zscore), or as they are (raw).
    target
        Scaler of the targets.
    values
        Profiles of training molecules, shape (n, width); NaN where not measured.
    """
    if kind == "minmax":
        return target
    if kind == "raw":
        return FeatureScaler.affine(np.zeros(target.width), np.ones(target.width))
    from sklearn.preprocessing import StandardScaler

    # a column without any value has neither mean nor spread, and there may be no profile at all
    known = ~np.isnan(values).all(axis=0)
    center, spread = np.zeros(target.width), np.ones(target.width)
    if known.any():
        fitted = StandardScaler().fit(values[:, known].astype(np.float64))  # leaves NaN out
        center[known], spread[known] = fitted.mean_, fitted.scale_  # a constant stays at its scale
    return FeatureScaler.affine(center, spread)


def _column_means(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of the measured entries of each column, shape (width,); 0.5 without any."""
    measured = ~np.isnan(values)
    count = measured.sum(axis=0)
    total = np.where(measured, values, 0).sum(axis=0, dtype=np.float64)
    return np.where(count > 0, total / np.maximum(count, 1), 0.5).astype(np.float32)


def _of_rows(told: Propagated, rows: NDArray[np.int64]) -> Propagated:
    keep = np.isin(told.rows, rows)
    return Propagated(told.rows[keep], told.values[keep])


def _joined(left: Propagated, right: Propagated) -> Propagated:
    return Propagated(np.concatenate([left.rows, right.rows]), np.concatenate([left.values, right.values]))
