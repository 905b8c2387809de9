"""The predictor: SMILES in, an answer to every task out; saved as a directory of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from cytomol.assays.labels import Task
from cytomol.chem.encoders import MoleculeEncoder
from cytomol.chem.store import MoleculeStore
from cytomol.counted import counted
from cytomol.errors import ModelDirectoryError
from cytomol.learners.cell_kernel import measured_rows
from cytomol.predict.evidence import Evidence
from cytomol.predict.named_encoders import given_again
from cytomol.predict.parts import PredictorParts
from cytomol.predict.predictions import Predictions
from cytomol.predict.profile_block import CAUTION, ProfileBlock
from cytomol.predict.saved import load_predictor, save_predictor
from cytomol.predict.uncertainty import Uncertainty, domain_fingerprints, domain_options
from cytomol.predict.uncertainty.conformal import check_coverage

__all__ = ["Predictor"]

_SHOWN = 8  # tasks whose cut-offs are shown


@dataclass
class Predictor(PredictorParts):
    """A fitted learner with the features that it reads.

    What it is made of is listed in :class:`~cytomol.predict.parts.PredictorParts`.

    Examples
    --------
    >>> import numpy as np
    >>> from cytomol import finetune
    >>> from cytomol.assays.labels import Labels
    >>> smiles = ["CCO", "CCN", "CCC", "CCCl", "CCBr", "CCCC"] * 2
    >>> labels = Labels.of_kind(["size"], np.array([[float(len(s))] for s in smiles]), "regression")
    >>> folds = np.array(["train"] * 8 + ["valid"] * 4)
    >>> fitted = finetune(smiles, labels, folds=folds, learner="neighbours", cache=None)
    >>> fitted.predictor.predict(["CCCO", "not a molecule"]).values.shape
    (2, 1)
    """

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks, in order."""
        return self.encoding.tasks

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tasks."""
        return tuple(task.name for task in self.encoding.tasks)

    def predict(
        self,
        molecules: Sequence[str] | MoleculeStore,
        *,
        batch_size: int = 256,
        workers: int | None = None,
        cache: Path | Literal["default"] | None = None,
        progress: Callable[[int, int], None] | None = None,
        uncertainty: bool = False,
        coverage: float = 0.9,
        evidence: bool = False,
        fingerprints: NDArray[np.uint8] | None = None,
    ) -> Predictions:
        """Predict molecules; row i of the answer belongs to molecule i, valid or not.

        Parameters
        ----------
        molecules
            SMILES, or a store made with this predictor's features.
        batch_size
            Molecules that the encoder sees at once; it does not change the answer.
        workers, cache, progress
            See :func:`cytomol.chem.featurize.featurize`.
        uncertainty
            Say too how certain the answers are.
        coverage
            Share of molecules whose measured value intervals and sets shall hold, in (0, 1).
        evidence
            Name too the nearest molecules that were learnt from.
        fingerprints
            Those by which the nearest are found, where they are known already: what
            :func:`~cytomol.predict.uncertainty.domain_fingerprints` returns, shape (n, 256).

        Raises
        ------
        ModelDirectoryError
            If uncertainty or evidence is asked for and the predictor has none.
        """
        fitted = self.fitted_uncertainty() if uncertainty else None
        check_coverage(coverage)
        options = self.features.options
        near_ones = (fitted is not None or evidence) and fingerprints is None
        if isinstance(molecules, MoleculeStore):
            store = molecules
        else:
            further = [domain_options(options)] if near_ones else []
            store, also = self.features.stores(
                molecules, further, workers=workers, cache=cache, progress=progress
            )
            fingerprints = also[0].blocks["morgan"] if near_ones else fingerprints
        rows, measured = np.flatnonzero(store.valid), np.zeros(len(store), dtype=bool)
        columns = np.full((len(store), len(self.encoding.columns)), np.nan)
        members = np.full((0, 0, columns.shape[1]), np.nan)
        if rows.size:
            valid = store if rows.size == len(store) else store.take(rows)
            blocks = self.features.raw(valid, batch_size=batch_size)
            measured[rows] = _measured(blocks, [each.key for each in self.features.profiles])
            columns[rows], members = self.answer(blocks, members=fitted is not None)
        answer, nearest = None, None
        bits = np.zeros((len(store), 0), dtype=np.uint8)
        if fitted is not None or evidence:
            if fingerprints is None:
                fingerprints = domain_fingerprints(store.smiles, options, workers=workers, cache=cache)
            bits = np.where(store.valid[:, None], fingerprints, np.uint8(0))
        if evidence:
            nearest = self.kept_evidence().nearest(bits)
        if fitted is not None:
            members = (
                members[: fitted.members] if rows.size else np.zeros((fitted.members, *columns[:0].shape))
            )
            near = None if nearest is None else nearest.similarity[rows]
            answer = fitted.answer(columns[rows], members, bits[rows], coverage, neighbours=near)
            answer = answer.spread_out(rows, len(store))
        profile = measured if self.features.profiles else None
        return Predictions(columns, list(store.errors), self.encoding, self.cutoffs, answer, nearest, profile)

    def with_profiles(self, profiles: Sequence[ProfileBlock]) -> Self:
        """Return the predictor with measured profiles of molecules that it will be asked about.

        Parameters
        ----------
        profiles
            Some of its modalities, under their names (see
            :func:`cytomol.predict.profile_source.read_profile_blocks`); of the others it has none.
        """
        given = {each.name: each for each in profiles}
        kept = tuple(
            given[each.name].aligned(each, where=f"profiles {each.name}")
            if each.name in given
            else each.empty()
            for each in self.features.profiles
        )
        return replace(self, features=replace(self.features, profiles=kept))

    def with_encoders(self, encoders: Sequence[str | MoleculeEncoder]) -> Self:
        """Return the predictor with tables of vectors of the molecules that it will be asked about.

        Parameters
        ----------
        encoders
            ``file:TABLE`` for each table that it has learnt from; columns are found by name.
        """
        given = given_again(self.features.encoders, encoders)
        return replace(self, features=replace(self.features, encoders=given))

    def answer(
        self, blocks: dict[str, NDArray[np.float32]], *, members: bool = True
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return probabilities and values from features, and those of an ensemble's members if wanted.

        Shapes (n, columns) and (members, n, columns), in the unit of the table.
        """
        if not members:
            return self.encoding.decode(self.learner.predict(blocks)), np.zeros((0, 0, 0))
        answers, of_members = self.learner.answer(blocks)
        return self.encoding.decode(answers), self.encoding.decode(of_members)

    def notes(self, coverage: float = 0.9) -> list[str]:
        """Return what a user should know of the answers: profiles, cut-offs, and what held-out rows say."""
        said = [
            f"{task.name}: {task.classes[1]} from a probability of {self.cutoffs[place.start]:.3g} on"
            for task, place in zip(self.tasks, self.encoding.places(), strict=True)
            if task.kind == "binary"
        ]
        rest = counted(len(said) - _SHOWN, "more class", plural="more classes", comma=False)
        more = [f"and {rest}"] if len(said) > _SHOWN else []
        measured = [CAUTION] if any(map(len, self.features.profiles)) else []
        few = [*measured, *said[:_SHOWN], *more]
        known = [] if self.uncertainty is None else self.uncertainty.notes(self.encoding.columns, coverage)
        return [*few, *known]

    def fitted_uncertainty(self) -> Uncertainty:
        """Return what held-out molecules say of the answers.

        Raises
        ------
        ModelDirectoryError
            If there were none.
        """
        if self.uncertainty is None:
            raise ModelDirectoryError(
                "the model was made without held-out molecules, so it has no uncertainty",
                hint="fine-tune it again with a valid fold, or predict with --no-uncertainty",
            )
        return self.uncertainty

    def kept_evidence(self) -> Evidence:
        """Return the molecules that it has learnt from.

        Raises
        ------
        ModelDirectoryError
            If they were not kept.
        """
        if self.evidence is None:
            raise ModelDirectoryError(
                "the model does not hold the molecules that it has learnt from",
                hint="fine-tune it again, or predict with --no-evidence",
            )
        return self.evidence

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write a model directory that needs no other file: learner, features, backbone, what it rests on."""
        return save_predictor(self, Path(path), force=force)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load and verify a model directory.

        Raises
        ------
        ModelDirectoryError
            If it is absent, altered or holds something else, such as a backbone.
        """
        return cls(**vars(load_predictor(path)))


def _measured(blocks: dict[str, NDArray[np.float32]], profiles: Sequence[str]) -> NDArray[np.bool_] | bool:
    """Return which rows have a measured profile of any modality, shape (n,); False without modalities."""
    found = [measured_rows(blocks[name]) for name in profiles]
    return np.logical_or.reduce(found) if found else False
