"""Finds the profile of a molecule by what alike molecules do to cells; fitted in minutes, no pretraining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from cytomol.cells.matcher.canonical_axes import CanonicalAxes
from cytomol.cells.matcher.prepared_profiles import ProfilePreparation
from cytomol.cells.matcher.shared_information import SharedInformation
from cytomol.cells.matcher.structure_kernel import StructureKernel
from cytomol.checked import Checked
from cytomol.counted import counted
from cytomol.errors import InputError

__all__ = ["CellMatcher", "MatcherOptions", "scaffold_groups"]

Matrix = NDArray[np.float32]
Rows = NDArray[np.float64]
_CHUNK = 2048
_FEWEST = 20


@dataclass(frozen=True)
class MatcherOptions:
    """How a matcher is fitted.

    Attributes
    ----------
    noise
        Variance of a profile's noise beside what structure explains: more trusts neighbours less.
    ridges
        Of the canonical axes, for predicted and measured: see :class:`CanonicalAxes`.
    folds
        Into which scaffolds are dealt, for predictions that a molecule's own profile did not teach.
    most_molecules
        Above this a sample is taken: time grows with the third power.
    seed
        Of the sample and of the folds.
    """

    noise: float = 2.0
    ridges: tuple[float, float] = (3.0, 0.3)
    folds: int = 4
    most_molecules: int = 8000
    seed: int = 0


@dataclass(eq=False)
class CellMatcher:
    """Places molecules and profiles of one modality so that their cosine says how well they go together.

    A Gaussian process on several structural similarities predicts the prepared profile (and its norm) of
    every molecule from the others; canonical axes then say in which directions such predictions are to be
    believed. They are fitted on predictions across scaffolds, so that they know how little is foretold of a
    new one. The order is that of the information which molecule and profile share on these axes.

    Attributes
    ----------
    preparation, kernel, axes, shared
        The fitted parts.
    coefficients, mean
        Of the Gaussian process, float64, shapes (molecules, width + 1) and (width + 1,).

    Notes
    -----
    Profiles of several treatments of a molecule are averaged for the process, with the square root of their
    number as weight, and taken one by one for the axes.

    Examples
    --------
    >>> import numpy as np
    >>> from cytomol.cells.matcher.structure_kernel import structure_blocks
    >>> smiles = ["C" * n + "O" for n in range(1, 16)] + ["c1ccccc1" + "C" * n for n in range(15)]
    >>> blocks, _ = structure_blocks(smiles)
    >>> ring = np.arange(30)[:, None] >= 15
    >>> profiles = (ring + np.random.default_rng(0).normal(0, 0.1, (30, 4))).astype(np.float32)
    >>> matcher = CellMatcher.fit(blocks, profiles, np.arange(30), groups=np.arange(30) % 6)
    >>> scores = matcher.molecules(blocks) @ matcher.profiles(profiles).T
    >>> bool(scores[15:, 15:].mean() > scores[15:, :15].mean())
    True
    """

    preparation: ProfilePreparation
    kernel: StructureKernel
    axes: CanonicalAxes
    coefficients: Rows
    mean: Rows
    shared: SharedInformation

    @classmethod
    def fit(
        cls,
        blocks: Mapping[str, Matrix],
        profiles: Matrix,
        molecule: NDArray[np.int64],
        *,
        groups: NDArray[np.int64],
        weights: Rows | None = None,
        options: MatcherOptions | None = None,
    ) -> Self:
        """Learn from molecules and their profiles.

        Parameters
        ----------
        blocks
            Features of the molecules, float32, shape (molecules, width) each.
        profiles
            In measured units, NaN where not measured, shape (profiles, width).
        molecule
            Row of ``blocks`` of each profile, shape (profiles,).
        groups
            Scaffold, as a number, of each molecule, shape (molecules,).
        weights
            How much each profile counts, shape (profiles,); None for all alike.
        options
            See :class:`MatcherOptions`.

        Raises
        ------
        InputError
            If there are fewer than 20 molecules with a profile, or they are all of one group.
        """
        options = options or MatcherOptions()
        weights = np.ones(len(profiles)) if weights is None else weights
        chosen = _chosen(molecule, weights, options)
        place = np.full(len(groups), -1, dtype=np.int64)
        place[chosen] = np.arange(len(chosen))
        kept = (place[molecule] >= 0) & (weights > 0)
        of, weights = place[molecule[kept]], weights[kept]
        preparation = ProfilePreparation.fit(profiles[kept])
        measured = preparation.transform(profiles[kept])
        targets, trust = _averaged(measured, of, weights, len(chosen))

        own = {name: block[chosen] for name, block in blocks.items()}
        kernel = StructureKernel.fit(own)
        K = kernel.similarity(own).astype(np.float64)
        folds = _dealt(groups[chosen], options.folds, options.seed)
        predicted = np.zeros_like(targets)
        for fold in np.unique(folds):
            known = np.flatnonzero(folds != fold)
            solved, mean = _process(K[np.ix_(known, known)], targets[known], trust[known], options.noise)
            left_out = np.flatnonzero(folds == fold)
            predicted[left_out] = K[np.ix_(left_out, known)] @ solved + mean
        shares = weights / np.sqrt(np.bincount(of, minlength=len(chosen)))[of]
        axes = CanonicalAxes.fit(predicted[of], measured, shares, folds[of], ridges=options.ridges)
        shared = SharedInformation.fit(
            axes.correlations, axes.place_predicted(predicted[of]), axes.place_measured(measured)
        )
        coefficients, mean = _process(K, targets, trust, options.noise)
        return cls(preparation, kernel, axes, coefficients, mean, shared)

    def expected(self, blocks: Mapping[str, Matrix]) -> Rows:
        """Return the prepared profile to be expected of molecules, shape (n, width + 1)."""
        count = len(next(iter(blocks.values())))
        parts = [
            self.kernel.similarity({name: block[at : at + _CHUNK] for name, block in blocks.items()})
            @ self.coefficients
            for at in range(0, count, _CHUNK)
        ]
        return np.concatenate([*parts, np.zeros((0, len(self.mean)))]) + self.mean

    def molecules(self, blocks: Mapping[str, Matrix]) -> Matrix:
        """Place molecules, rows of length 1, float32, shape (n, axes + 4)."""
        return self.shared.molecules(self.axes.place_predicted(self.expected(blocks)))

    def profiles(self, values: Matrix) -> Matrix:
        """Place measured profiles, rows of length 1, float32, shape (n, axes + 4); NaN where all is missing.

        Raises
        ------
        InputError
            If the width is another.
        """
        if values.ndim != 2 or values.shape[1] != self.preparation.width:
            raise InputError(
                f"profiles of shape {values.shape}",
                hint=f"the matcher was fitted on {counted(self.preparation.width, 'feature', comma=False)}",
            )
        result = self.shared.profiles(self.axes.place_measured(self.preparation.transform(values)))
        result[np.isnan(values).all(axis=1)] = np.nan
        return result

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the whole state as arrays, to be saved."""
        result: dict[str, NDArray[Any]] = {
            "coefficients": self.coefficients,
            "mean": self.mean,
        }
        for name in ("preparation", "kernel", "axes", "shared"):
            part = getattr(self, name).arrays()
            result.update({f"{name}:{key}": array for key, array in part.items()})
        return result

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Rebuild from :meth:`arrays`."""
        saved = Checked({}, arrays, "matcher")

        def part(name: str) -> dict[str, NDArray[Any]]:
            at = f"{name}:"
            return {key.removeprefix(at): array for key, array in arrays.items() if key.startswith(at)}

        return cls(
            ProfilePreparation.from_arrays(part("preparation")),
            StructureKernel.from_arrays(part("kernel")),
            CanonicalAxes.from_arrays(part("axes")),
            saved.array("coefficients", np.float64, "molecules axes", finite=True),
            saved.array("mean", np.float64, "axes", finite=True),
            SharedInformation.from_arrays(part("shared")),
        )


def _chosen(molecule: NDArray[np.int64], weights: Rows, options: MatcherOptions) -> NDArray[np.int64]:
    """Return the molecules to learn from, ascending."""
    known = np.unique(molecule[weights > 0])
    if len(known) < _FEWEST:
        raise InputError(
            f"{counted(len(known), 'molecule', comma=False)} with a profile to learn from",
            hint=f"a matcher takes {_FEWEST}",
        )
    if len(known) > options.most_molecules:
        rng = np.random.default_rng(options.seed)
        known = np.sort(rng.permutation(known)[: options.most_molecules])
    return known


def _averaged(measured: Rows, of: NDArray[np.int64], weights: Rows, count: int) -> tuple[Rows, Rows]:
    """Return the mean profile of each molecule, and how far to trust it (1 on average)."""
    total = np.bincount(of, weights=weights, minlength=count)
    columns = [np.bincount(of, weights=weights * column, minlength=count) for column in measured.T]
    trust = total / np.sqrt(np.bincount(of, minlength=count))
    return np.stack(columns, axis=1) / total[:, None], trust / trust.mean()


def _dealt(groups: NDArray[np.int64], folds: int, seed: int) -> NDArray[np.int64]:
    """Deal whole groups to folds of about equal size, the largest first, shape (molecules,)."""
    named, member, size = np.unique(groups, return_inverse=True, return_counts=True)
    if len(named) < 2:
        raise InputError("all molecules have the same scaffold", hint="a matcher takes several")
    order = np.random.default_rng(seed).permutation(len(named))
    order = order[np.argsort(-size[order], kind="stable")]
    fold, filled = np.zeros(len(named), dtype=np.int64), np.zeros(min(folds, len(named)), dtype=np.int64)
    for group in order:
        fold[group] = int(np.argmin(filled))
        filled[fold[group]] += size[group]
    return fold[member]


def _process(K: Rows, targets: Rows, trust: Rows, noise: float) -> tuple[Rows, Rows]:
    """Return coefficients and mean of the Gaussian process (Rasmussen & Williams, 2006, eq. 2.25)."""
    mean = (trust @ targets) / trust.sum()
    inner = K.copy()
    inner[np.diag_indices_from(inner)] += noise / trust
    return np.asarray(scipy.linalg.solve(inner, targets - mean, assume_a="pos", overwrite_a=True)), mean


def scaffold_groups(smiles: Sequence[str]) -> NDArray[np.int64]:
    """Return the scaffold of each molecule as a number; one without rings is a group of its own.

    Examples
    --------
    >>> scaffold_groups(["c1ccccc1C", "Cc1ccccc1O", "CCO", "CCN"]).tolist()
    [0, 0, 1, 2]
    """
    from cytomol.chem.scaffolds import murcko_scaffold

    numbers: dict[str, int] = {}
    names = [murcko_scaffold(text) or f"acyclic {row}" for row, text in enumerate(smiles)]
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
