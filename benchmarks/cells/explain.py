"""Attribution against rules whose atoms are known.

``python -m benchmarks.cells.explain --work DIR -o benchmarks/results/cells/explain.csv``; it goes on where it
stopped. Seeds: 0 throughout. Backbones are those of fold 0 below ``DIR/backbones``; without one its rows are
left out, and are made by a later call.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.cells.explain_rules import Rules, baselines, pattern_rules, planted_atoms, planted_rules
from benchmarks.cells.ground import Ground, planted_ground
from benchmarks.quality.backbones import corpus_folder
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from cytomol.artifact.backbone import Backbone
from cytomol.assays.labels import Labels
from cytomol.cells.explain.choose_value import ValueChoice, choose_value
from cytomol.cells.explain.explained_value import ExplainedValue, ImputedFeature, ProfileMatch
from cytomol.cells.explain.integrated_gradients import integrate_value
from cytomol.cells.explain.occluded_atoms import occlude_value
from cytomol.cells.modality import trained_modality
from cytomol.cells.space import CellSpace
from cytomol.chem.occlusion.attribution import Attribution, ExplainedMolecule
from cytomol.corpus import read_corpus
from cytomol.files import atomic_file
from cytomol.predict.config import SCORED_ALONE
from cytomol.predict.finetune import finetune
from cytomol.predict.predictor import Predictor
from cytomol.predict.task_attribution import explain_tasks

__all__ = ["atom_auc", "main"]

SEED = 0
RESAMPLES = 1000
_CHUNK = 32
_SHOWN = 40  # molecules of a set that are explained at most
_LEARNT = {"train": 800, "valid": 200, "test": 300}  # molecules of a set at most
_STEPS = 16

Row = dict[str, Any]
Scores = dict[str, list[float]]


def atom_auc(truth: NDArray[np.bool_], score: NDArray[np.float64]) -> float:
    """Return the ROC-AUC of atoms of one molecule, ties as half; NaN where all atoms are of one kind."""
    if truth.all() or not truth.any():
        return float("nan")
    return float(roc_auc_score(truth, score))


def _interval(values: list[float]) -> tuple[float, float, float, int]:
    """Return mean and 95% bootstrap interval over molecules, and their number."""
    known = np.array([value for value in values if not np.isnan(value)])
    if not len(known):
        return float("nan"), float("nan"), float("nan"), 0
    rng = np.random.default_rng(SEED)
    means = known[rng.integers(len(known), size=(RESAMPLES, len(known)))].mean(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(known.mean()), float(low), float(high), len(known)


def _rows(ground: str, subject: str, target: str, scores: Scores, model_auc: float) -> list[Row]:
    rows = []
    for way, values in scores.items():
        auc, low, high, molecules = _interval(values)
        row: Row = {"ground": ground, "subject": subject, "target": target, "way": way}
        row |= {"molecules": molecules, "auc": auc, "low": low, "high": high, "model_auc": model_auc}
        rows.append(row | {"seed": SEED})
    return rows


def _ways(attribution: Attribution, piece: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """Return what occlusion gives each atom: its own loss, that of its piece, and the mean of both."""
    shares = attribution.pieces[piece] / np.bincount(piece)[piece]
    return {
        "occlusion": attribution.atoms,
        "occlusion of pieces": attribution.pieces[piece],
        "occlusion of both": (attribution.atoms + shares) / 2,
    }


def _learner_rows(
    ground: str, learner: str, rules: Rules, folds: NDArray[np.str_], backbone: Backbone | None
) -> Iterator[Row]:
    """Fit a learner to the rules, and score its attributions on the test molecules that fulfil them."""
    labels = Labels.of_kind(rules.names, rules.labels, "binary")
    options: dict[str, Any] = {**SCORED_ALONE, "seed": SEED, "threads": 1, "learner": learner}
    if learner == "head":
        options["features"] = "embedding+1d" if backbone is not None else "1d"
    fitted = finetune(rules.smiles, labels, folds=folds, backbone=backbone, workers=1, **options)
    predictor: Predictor = fitted.evaluated
    test = np.flatnonzero(folds == "test")
    held = predictor.predict([rules.smiles[row] for row in test], workers=1).columns
    held_auc = [
        float(roc_auc_score(rules.labels[test, at], held[:, at]))
        if 0 < rules.labels[test, at].sum() < len(test)
        else float("nan")
        for at in range(len(rules.names))
    ]
    shown = test[rules.labels[test].any(axis=1)][:_SHOWN]
    scores: dict[str, Scores] = {name: {} for name in rules.names}
    rng = np.random.default_rng(SEED)
    for start in range(0, len(shown), _CHUNK):
        part = shown[start : start + _CHUNK]
        explained = explain_tasks(predictor, [rules.smiles[row] for row in part], rules.names)
        for row, one in zip(part, explained, strict=True):
            known = baselines(rules.smiles[row], rng)
            for attribution in one.attributions:
                truth = rules.atoms[attribution.name][row]
                for way, score in {**_ways(attribution, one.piece), **known}.items():
                    scores[attribution.name].setdefault(way, []).append(atom_auc(truth, score))
    for name, auc in zip(rules.names, held_auc, strict=True):
        yield from _rows(ground, learner, name, scores[name], auc)


def _explain(
    by: str, backbone: Backbone, smiles: list[str], value: ExplainedValue
) -> list[ExplainedMolecule]:
    if by == "occlusion":
        return occlude_value(backbone, smiles, value)
    return integrate_value(backbone, smiles, value, steps=_STEPS)


def _cell_rows(ground: Ground, name: str, backbone: Backbone) -> Iterator[Row]:
    """Score attributions of imputed profiles and matches on held-out planted molecules that bind."""
    table = ground.candidates
    truth = pd.read_parquet(ground.corpus / "truth" / "molecules.parquet").iloc[table["molecule"]]
    table = table.reset_index(drop=True)
    truth = truth.reset_index(drop=True)
    binds = (truth["binds"] & truth["explained"]).to_numpy(bool)
    held = (table["outer"] == 0).to_numpy()
    shown = np.flatnonzero(held & (table["part"] == "test").to_numpy() & binds)[:_SHOWN]
    smiles = [table["smiles"].iloc[row] for row in shown]
    known = [
        planted_atoms(text, truth["core"].iloc[row], truth["pharmacophore"].iloc[row])
        for text, row in zip(smiles, shown, strict=True)
    ]
    modality = trained_modality(backbone, ground.modality)
    measured = read_corpus(ground.corpus).modalities[ground.modality]
    profiles = measured.values  # noqa: PD011 - no data frame
    for target, value_of in _values(backbone, modality, table, profiles):
        found: list[dict[str, NDArray[np.float64]]] = [{} for _ in smiles]
        for by in ("occlusion", "gradients"):
            if target == "match":  # each to its own profile
                pairs = zip(shown, smiles, strict=True)
                explained = [_explain(by, backbone, [text], value_of(int(row)))[0] for row, text in pairs]
            else:
                explained = _explain(by, backbone, smiles, value_of(0))
            for one, ways in zip(explained, found, strict=True):
                of_atoms = one.attributions[0]
                new = _ways(of_atoms, one.piece) if by == "occlusion" else {by: of_atoms.atoms}
                # a feature may be driven down as well as up
                ways.update(
                    {way: np.abs(score) for way, score in new.items()} if target == "feature" else new
                )
        rng = np.random.default_rng(SEED)
        whole: Scores = {}
        decoration: Scores = {}
        for text, ways, (group, core) in zip(smiles, found, known, strict=True):
            for way, score in {**ways, **baselines(text, rng)}.items():
                whole.setdefault(way, []).append(atom_auc(group, score))
                decoration.setdefault(way, []).append(atom_auc(group[~core], score[~core]))
        yield from _rows(ground.name, name, target, whole, float("nan"))
        yield from _rows(ground.name, name, f"{target}, core apart", decoration, float("nan"))


def _values(
    backbone: Backbone, modality: Any, table: pd.DataFrame, profiles: NDArray[np.float32]
) -> Iterator[tuple[str, Callable[[int], ExplainedValue]]]:
    """Yield what is explained, and the value of each molecule."""
    if modality.name in backbone.method.decoded:
        direction = choose_value(backbone, ValueChoice(modality.name))
        yield "direction", lambda _row: direction
        feature = ImputedFeature(modality, _best_feature(backbone, modality, table, profiles))
        yield "feature", lambda _row: feature
    space = CellSpace.of(modality)
    yield "match", lambda row: ProfileMatch(space, profiles[int(table["profile"].iloc[row])])


def _best_feature(
    backbone: Backbone, modality: Any, table: pd.DataFrame, profiles: NDArray[np.float32]
) -> str:
    """Return the feature that the backbone imputes best on the valid half of the held-out molecules."""
    import torch

    rows = table[(table["outer"] == 0) & (table["part"] == "valid")]
    store = backbone.store(rows["smiles"].tolist(), workers=1)
    with torch.inference_mode():
        batch = backbone.builder.build(store, np.arange(len(store)))
        scaled = backbone.method.impute(batch)[modality.name].float().numpy()
    measured = profiles[rows["profile"].to_numpy()]
    correlation = [
        np.corrcoef(scaled[:, at], measured[:, at])[0, 1] if np.ptp(scaled[:, at]) > 0 else -1.0
        for at in range(measured.shape[1])
    ]
    return str(modality.columns[int(np.nanargmax(correlation))])


def _planted_learning(ground: Ground) -> tuple[Rules, NDArray[np.str_]]:
    table = ground.candidates
    truth = pd.read_parquet(ground.corpus / "truth" / "molecules.parquet").iloc[table["molecule"]]
    folds = np.where(table["outer"] == 0, table["part"], "train").astype(str)
    kept = _some(folds)
    rules = planted_rules(table["smiles"].iloc[kept].tolist(), truth.iloc[kept].reset_index(drop=True))
    return rules, folds[kept]


def _real_learning() -> tuple[Rules, NDArray[np.str_]]:
    folder = corpus_folder().parent / "benchmarks" / "chembl2k"
    smiles = pd.read_csv(folder / "assays.csv.gz", usecols=["smiles"])["smiles"].tolist()
    split = pd.read_csv(folder / "split.csv.gz").set_index("index")["fold"]
    folds = split.reindex(range(len(smiles))).fillna("").to_numpy(str)
    kept = _some(folds)
    return pattern_rules([smiles[row] for row in kept]), folds[kept]


def _some(folds: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return the rows that are used, drawn at random from each fold, sorted."""
    rng = np.random.default_rng(SEED)
    drawn = [rng.permutation(np.flatnonzero(folds == fold))[:most] for fold, most in _LEARNT.items()]
    return np.sort(np.concatenate(drawn))


def jobs(work: Path) -> Iterator[tuple[str, str, Callable[[], Iterator[Row]]]]:
    """Yield (ground, subject, what makes its rows) of whatever can be made now."""
    ground = planted_ground(work)
    folder = work / "backbones"
    rules, folds = _planted_learning(ground)
    backbones = {
        method: folder / f"planted-{method}-0"
        for method in ("chmr", "infoalign", "contrastive")
        if (folder / f"planted-{method}-0").is_dir()
    }
    chmr = Backbone.load(backbones["chmr"]) if "chmr" in backbones else None
    for learner in ("forest", "head", "cytomol"):
        if chmr is not None:
            reads = None if learner == "forest" else chmr
            yield ground.name, learner, partial(_learner_rows, ground.name, learner, rules, folds, reads)
    for method, path in backbones.items():
        yield ground.name, method, partial(_cell_rows, ground, method, Backbone.load(path))
    real, real_folds = _real_learning()
    for learner in ("forest", "head", "cytomol"):
        yield (
            "chembl2k",
            learner,
            partial(_learner_rows, "chembl2k", learner, real, real_folds, None),
        )


def main(args: list[str] | None = None) -> int:
    """Make the rows that are missing; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells.explain")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--only", metavar="SUBJECT", help="a learner or a method")
    given = parser.parse_args(args)
    done = pd.read_csv(given.out) if given.out.exists() else pd.DataFrame({"ground": [], "subject": []})
    for ground, subject, make in jobs(given.work):
        if ((done["ground"] == ground) & (done["subject"] == subject)).any():
            continue
        if given.only not in {None, subject}:
            continue
        print(f"{ground} {subject}", flush=True)
        done = pd.concat([done, pd.DataFrame(list(make()))], ignore_index=True)
        given.out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(given.out, force=True) as temporary:
            done.round(4).to_csv(temporary, index=False, lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
