"""One job: learn from the profiles of four folds in one form, and score the molecules of the fifth."""

# ruff: noqa: PD011 (the values of a modality are an array)
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.cells.ground import Ground
from benchmarks.cells.signal_corpora import FORMS, corpus_of, labels_of
from benchmarks.fidelity.learner import score_linear
from benchmarks.fidelity.matching import correlations, cosines, places_by_group
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.cells.modality import trained_modality
from cytomol.cells.space import CellSpace
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.corpus.correction import GroupCorrection
from cytomol.corpus.schema import Corpus
from cytomol.methods import methods
from cytomol.training.dataset.exclude import exclude_profiles_of
from cytomol.training.dataset.profile_weights import ProfileWeights
from cytomol.training.pretrain import pretrain

__all__ = ["METHODS", "Job", "run"]

METHODS: dict[str, dict[str, Any]] = {
    "ridge": {},
    "contrastive": {"views": ("1d",), "epochs": 20, "width": 128, "hidden": 256},
    "chmr": {"views": ("1d",), "epochs": 12, "width": 128},
    "infoalign": {"epochs": 10, "width": 64, "layers": 2, "walk_length": 2},
}
"""Small budgets, on the first profile of each connectivity; ridge learns from all profiles."""

_RIDGE = 300.0
_LEAST = 0.1


@dataclass(frozen=True)
class Job:
    """A ground, a method, a form of the profiles and the fold that is held out."""

    ground: str
    method: str
    form: str
    fold: int

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{self.ground}-{self.method}-{self.form.replace(' ', '-')}-{self.fold}"


@dataclass(frozen=True)
class _Fold:
    """The candidates of a fold: their rows in the corpus, measured profiles and what is known of them."""

    rows: NDArray[np.int64]
    smiles: list[str]
    values: NDArray[np.float32]
    groups: NDArray[np.object_]
    parts: NDArray[np.str_]
    strata: dict[str, NDArray[np.bool_]]


def run(job: Job, ground: Ground, corpora: Path, work: Path) -> dict[str, Any]:
    """Return what a job measures: places of the right candidate, squared errors and scores of assays."""
    corpus = corpus_of(corpora, FORMS[job.form], ground, first=job.method != "ridge")
    fold = _fold(corpus, ground, job.fold)
    learn = _ridge if job.method == "ridge" else _method
    similarity, predicted, embed = learn(job, corpus, ground, fold, work)
    found: dict[str, Any] = {"places": places_by_group(similarity, fold.parts, fold.strata)}
    if predicted is not None:
        found["errors"] = _errors(predicted, corpus, ground, fold)
    if embed is not None:
        found["scores"] = _scores(embed, ground, job.fold)
    return found


def _fold(corpus: Corpus, ground: Ground, number: int) -> _Fold:
    table = ground.candidates
    modality = corpus.modalities[ground.modality]
    if len(modality) == len(table):  # of each connectivity the first profile alone
        table = table.assign(profile=range(len(table)))
    table = table[table["outer"] == number]
    profile = table["profile"].to_numpy()
    labels = modality.provenance.labels
    active = table["active"].fillna(0).to_numpy() == 1
    bioactive = table["bioactive"].to_numpy(bool)
    return _Fold(
        rows=modality.rows[profile],
        smiles=table["smiles"].tolist(),
        values=modality.values[profile],
        groups=next(iter(labels.values()))[profile],
        parts=table["part"].to_numpy(str),
        strata={
            "all": np.ones(len(table), np.bool_),
            "active": active,
            "bioactive": bioactive,
            "bioactive and active": active & bioactive,
        },
    )


def _training(corpus: Corpus, ground: Ground, fold: int) -> Corpus:
    return exclude_profiles_of(corpus, [ground.held_out(fold)], relations=True).corpus


def _correction(corpus: Corpus, ground: Ground, fold: int) -> GroupCorrection | None:
    modality = _training(corpus, ground, fold).modalities[ground.modality]
    about = modality.provenance
    if about.groups is None or about.correction == "none":
        return None
    return GroupCorrection.fit(modality.values, about.groups, about.correction, by=about.by)


def _ridge(job: Job, corpus: Corpus, ground: Ground, fold: _Fold, work: Path) -> Any:
    """Least squares from Morgan bits to the profile, its deviations weighted as the form has them."""
    del work
    training = _training(corpus, ground, job.fold).modalities[ground.modality]
    about, correction = training.provenance, _correction(corpus, ground, job.fold)
    bits = _bits(tuple(corpus.smiles))
    Y = training.values if correction is None else correction.apply(training.values, about.groups)
    mean = np.nanmean(Y, axis=0)
    Y = np.where(np.isnan(Y), mean, Y).astype(np.float64)
    weight = np.ones(len(Y))
    if FORMS[job.form].weights == "reliability":
        assert about.reliability is not None
        weight = ProfileWeights.fit(about.reliability, _LEAST).of(about.reliability).astype(np.float64)
    X = bits[training.rows]
    center_x, center_y = (np.average(side, axis=0, weights=weight) for side in (X, Y))
    X, Y = X - center_x, Y - center_y
    gram = X.T @ (X * weight[:, None]) + _RIDGE * np.eye(X.shape[1])
    W = np.linalg.solve(gram, X.T @ (Y * weight[:, None]))
    predicted = (bits[fold.rows] - center_x) @ W + center_y
    own = fold.values if correction is None else correction.apply(fold.values, fold.groups)
    own = np.where(np.isnan(own), mean, own)
    spread = np.maximum(Y.std(axis=0), 1e-9)
    similarity = correlations(predicted / spread, own / spread, mean / spread)
    return similarity, predicted, None


def _method(job: Job, corpus: Corpus, ground: Ground, fold: _Fold, work: Path) -> Any:
    """Pretrain with a small budget."""
    out = work / "backbones" / job.name
    config = methods[job.method].Config.build(
        {
            **METHODS[job.method],
            "profile_weights": FORMS[job.form].weights,
            "least_weight": _LEAST,
            "batch_size": 256,
            "threads": 1,
            "workers": 1,
            "seed": job.fold,
        }
    )
    if not out.exists():
        pretrain(
            corpus,
            config,
            out,
            method=job.method,
            force=True,
            exclude_profiles_of=ground.held_out(job.fold),
            quiet=True,
        )
    backbone = Backbone.load(out)
    modality = trained_modality(backbone, ground.modality)
    space = CellSpace.of(modality)
    places, valid = space.molecules(fold.smiles)
    assert valid.all()
    (label, *_) = corpus.modalities[ground.modality].provenance.labels
    own = modality.corrected(fold.values, pd.DataFrame({label: fold.groups}))
    similarity = cosines(places, space.profiles(own))
    return similarity, _decoded(backbone, ground.modality, fold), lambda smiles: backbone.embed(smiles)[0]


def _decoded(backbone: Backbone, name: str, fold: _Fold) -> NDArray[np.float32] | None:
    """Return the imputed profiles; in units of all groups where profiles were corrected."""
    import torch

    if name not in backbone.method.decoded:
        return None
    store = backbone.store(fold.smiles)
    with torch.inference_mode():
        batch = backbone.builder.build(store, np.arange(len(store)))
        decoded = backbone.method.impute(batch)[name].float().numpy()
    return backbone.scalers[name].inverse(np.clip(decoded, 0, 1))


def _errors(
    predicted: NDArray[np.floating], corpus: Corpus, ground: Ground, fold: _Fold
) -> dict[str, dict[str, list[float]]]:
    """Return each test molecule's squared error, and that of the training mean.

    Once against the profile as measured, once against the profile freed of its group's offset; no form is
    told the group when it predicts. Features are brought to one spread first, so that none drowns the others.
    """
    number = int(ground.candidates.set_index("smiles").loc[fold.smiles[0], "outer"])
    training = _training(corpus, ground, number).modalities[ground.modality]
    mean = np.nanmean(training.values, axis=0)
    spread = np.maximum(np.nanstd(training.values, axis=0), 1e-9)
    groups = next(iter(training.provenance.labels.values()))
    correction = GroupCorrection.fit(training.values, groups, "center", by="group")
    freed = correction.apply(fold.values, fold.groups)

    def squares(truth: NDArray[np.floating], said: NDArray[np.floating]) -> NDArray[np.float64]:
        return np.nansum(np.square((truth - said) / spread, dtype=np.float64), axis=1)

    sums = {
        f"{whose}, {word}": squares(truth, said)
        for whose, said in (("form", predicted), ("mean", mean))
        for word, truth in (("measured", fold.values), ("freed", freed))
    }
    test = fold.parts == "test"
    return {
        stratum: {name: values[test & members].tolist() for name, values in sums.items()}
        for stratum, members in fold.strata.items()
    }


def _scores(
    embed: Callable[[list[str]], NDArray[np.float32]], ground: Ground, number: int
) -> dict[str, float]:
    """Return the ROC-AUC of each assay on the test molecules of a fold, of a linear learner."""
    table, labels = ground.candidates, labels_of(ground)
    folds = np.where(table["outer"] == number, table["part"], "train").astype(str)
    y = labels.to_numpy(np.float64)
    counts = [(np.nansum(y[folds == "train"] == value, axis=0)) for value in (0, 1)]
    kept = np.minimum(*counts) >= 10
    embedding = embed(table["smiles"].tolist())
    embedding = (embedding - embedding.mean(axis=0)) / np.maximum(embedding.std(axis=0), 1e-6)
    embedding /= np.sqrt(embedding.shape[1])
    scored = score_linear(embedding.astype(np.float32), y[:, kept], folds, "roc_auc")
    names = [str(name) for name, keep in zip(labels.columns, kept, strict=True) if keep]
    return {
        name: float(score)
        for name, score in zip(names, scored.by_fold["test"], strict=True)
        if np.isfinite(score)
    }


@lru_cache(maxsize=2)
def _bits(smiles: tuple[str, ...]) -> NDArray[np.float64]:
    store = featurize(smiles, FeatureOptions(graph=False, morgan_radius=2, morgan_bits=1024), workers=1)
    return np.unpackbits(store.blocks["morgan"], axis=1, bitorder="little")[:, :1024].astype(np.float64)
