"""The figures of one point of a curve: matching, imputation and downstream tasks of one model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.batches import batches_by_size
from cytomol.cells.modality import TrainedModality
from cytomol.cells.space import CellSpace
from cytomol.chem.store import MoleculeStore
from cytomol.corpus.lift import mean_by_row
from cytomol.corpus.schema import Corpus
from cytomol.evaluate.job import fold_rows
from cytomol.evaluate.missing.given_profiles import GivenProfiles
from cytomol.evaluate.missing.stress_inputs import Asked, StressInputs
from cytomol.evaluate.missing.stress_probe import probe
from cytomol.evaluate.missing.stress_scores import Score, imputation_scores, matching_scores
from cytomol.evaluate.sets import BenchmarkSet
from cytomol.training.dataset.profile_inputs import ProfileInput

__all__ = ["ScoredModel"]

_TEST = "test"
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class ScoredModel:
    """A model, and what was read for all of them.

    Attributes
    ----------
    backbone
        The model.
    inputs
        What was read.
    """

    backbone: Backbone
    inputs: StressInputs

    def trained_rows(self) -> Rows:
        """Score the model as it is, every profile given in full where it is used."""
        rows: Rows = []
        for name in self.inputs.asked:
            store, asked = self._valid(self.inputs.asked[name])
            if len(asked.rows) < 2:
                continue
            rows += _score_rows("matching", name, matching_scores(self._similarity(name, store, asked)))
            rows += _score_rows("imputation", name, self._imputation(name, store, asked))
        for data in self.inputs.sets:
            rows += _probe_rows(data, self._embeddings[data.name])
        return rows

    def given_rows(self, hidden: Corpus, modalities: Sequence[str]) -> Rows:
        """Score the model given the profiles of some of the molecules that it is asked about.

        Those that are given spread to molecules without one, as those do that were learnt from. Molecules
        whose profile is given and molecules that have a stand-in are scored apart: what stands in may be made
        of the structure that it is matched with.

        Parameters
        ----------
        hidden
            The profiles that are given.
        modalities
            In which some are hidden.
        """
        rows: Rows = []
        read = [name for name in modalities if name in self._given.modalities]
        tables = {name: self._table(hidden, name) for name in read}
        for name in (name for name in read if name in self.inputs.asked):
            store, asked = self._valid(self.inputs.asked[name])
            if len(asked.rows) < 2:
                continue
            anchors, _ = CellSpace(TrainedModality(self.backbone, name), "projected").molecules(store)
            similarity = anchors @ _unit(self._given.projected(name, tables[name], asked.rows)).T
            decodes = self._given.decodes(name)
            imputed = self._given.decoded(name, tables[name], asked.rows, store) if decodes else None
            given = tables[name].measured.position[asked.rows] >= 0
            for kind, some in (("profile", given), ("stand-in", ~given)):
                if not some.any():
                    continue
                rows += _score_rows("matching", name, matching_scores(similarity, asked=some, profile=kind))
                if imputed is not None:
                    part = Asked(asked.rows[some], asked.values[some])
                    scores = self._scores_of(name, part, imputed[some])
                    rows += [
                        {**row, "task": f"from {kind}"} for row in _score_rows("imputation", name, scores)
                    ]
        for data in self.inputs.sets if read else ():
            molecules = self.inputs.rows_of_sets[data.name]
            projected = [self._given.projected(name, tables[name], molecules) for name in read]
            rows += _probe_rows(data, np.concatenate([self._embeddings[data.name], *projected], axis=1))
        return rows

    def _table(self, hidden: Corpus, name: str) -> ProfileInput:
        """Return the profiles that were learnt from and those that are given."""
        parts = [mean_by_row(corpus.modalities[name]) for corpus in (self.inputs.learnt.corpus, hidden)]
        rows = np.concatenate([part[0] for part in parts])
        values = np.concatenate([part[1] for part in parts])
        order = np.argsort(rows)
        valid = order[np.isin(rows[order], self._readable)]
        return self._given.table(name, rows[valid], values[valid])

    @cached_property
    def _readable(self) -> NDArray[np.int64]:
        """Molecules that the model can read."""
        profiled = [m.rows for m in self.inputs.corpus.modalities.values() if m.entity == "molecule"]
        rows = np.unique(np.concatenate(profiled))
        smiles = self.inputs.corpus.smiles
        return rows[self.backbone.store([smiles[row] for row in rows]).valid]

    @cached_property
    def _given(self) -> GivenProfiles:
        return GivenProfiles(self.backbone, self.inputs.corpus.smiles)

    @cached_property
    def _embeddings(self) -> dict[str, NDArray[np.float32]]:
        """Embeddings of the molecules of each set, NaN for those that cannot be read."""
        return {data.name: self.backbone.embed(data.smiles)[0] for data in self.inputs.sets}

    def _valid(self, asked: Asked) -> tuple[MoleculeStore, Asked]:
        """Return the molecules that the model can read, and what is asked of them."""
        smiles = self.inputs.corpus.smiles
        store = self.backbone.store([smiles[row] for row in asked.rows])
        rows = np.flatnonzero(store.valid)
        return store.take(rows), Asked(asked.rows[rows], asked.values[rows])

    def _similarity(self, name: str, store: MoleculeStore, asked: Asked) -> NDArray[np.float32]:
        """Return cosines of molecules and profiles; all alike where the model has learnt of no profile."""
        modality = TrainedModality(self.backbone, name)
        if name not in self.backbone.modalities or not (
            modality.projected or name in self.backbone.method.decoded
        ):
            return np.zeros((len(asked.rows),) * 2, np.float32)
        space = CellSpace.of(modality)
        molecules, _ = space.molecules(store)
        return molecules @ space.profiles(asked.values).T

    def _imputation(self, name: str, store: MoleculeStore, asked: Asked) -> list[Score]:
        """Score what is decoded from molecules; the training mean where the model decodes no such profile."""
        if name not in self.backbone.method.decoded:
            return self._scores_of(name, asked, None)
        imputed = np.empty(asked.values.shape, np.float32)
        for part in _batches(store):
            batch = self.backbone.builder.build(store, part).to(self.backbone.device)
            decoded = self.backbone.method.eval().impute(batch)[name].detach().float().cpu().numpy()
            imputed[part] = self.backbone.scalers[name].inverse(decoded)
        return self._scores_of(name, asked, imputed)

    def _scores_of(self, name: str, asked: Asked, imputed: NDArray[np.float32] | None) -> list[Score]:
        """Score imputed profiles (None for the mean) against the mean of all that may be learnt from.

        The yardstick is that of the whole corpus, however much of it was hidden: curves have one axis.
        """
        values = self.inputs.learnt.corpus.modalities[name].values
        known = ~np.isnan(values)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, values, 0).sum(axis=0, dtype=np.float64) / count
        spread = np.sqrt(np.where(known, (values - mean) ** 2, 0).sum(axis=0) / count)
        told = np.broadcast_to(mean, asked.values.shape) if imputed is None else imputed
        return imputation_scores(asked.values, told, mean, spread)


def _batches(store: MoleculeStore) -> Iterator[NDArray[np.int64]]:
    return batches_by_size(store, np.arange(len(store)), 256)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), dtype=np.float32)


def _score_rows(measure: str, on: str, scores: Sequence[Score]) -> Rows:
    return [{"measure": measure, "on": on, "fold": _TEST, **asdict(score)} for score in scores]


def _probe_rows(data: BenchmarkSet, features: NDArray[np.float32]) -> Rows:
    answers = probe(data, features)
    chosen = np.flatnonzero(np.isin(data.folds, data.scored_folds))
    empty = {"low": None, "high": None, "chance": 0.5 if data.metric == "roc_auc" else None}
    return [
        {"measure": "downstream", "on": data.name, **empty, **row}
        for row in fold_rows(data, chosen, answers[chosen])
        if row["score"] is not None
    ]
