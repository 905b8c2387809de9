"""Compare models task by task on the planted assays, whose drivers are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytomol.assays.metrics import score_tasks
from cytomol.chem.featurize import FeatureOptions, featurize
from cytomol.predict.predictor import Predictor

__all__ = ["Comparison", "compare_on_planted", "random_forest"]


@dataclass(frozen=True)
class Comparison:
    """Test scores of several models on planted assays.

    Attributes
    ----------
    tasks
        ROC-AUC on the test fold, one row per task: ``task``, ``driver``, one column per model.
    molecules
        Number of molecules in each fold, by fold.
    """

    tasks: pd.DataFrame
    molecules: dict[str, int]

    def by_driver(self) -> dict[str, dict[str, float]]:
        """Return the mean ROC-AUC over the tasks of each driver, by driver and model."""
        models = [name for name in self.tasks.columns if name not in {"task", "driver"}]
        return {
            str(driver): {name: float(group[name].mean()) for name in models}
            for driver, group in self.tasks.groupby("driver")
        }


def random_forest(
    smiles: list[str],
    labels: NDArray[np.float64],
    train: NDArray[np.bool_],
    *,
    trees: int = 500,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Fit a random forest per task on Morgan and MACCS bits; return probabilities of every molecule.

    Parameters
    ----------
    smiles
        Molecules, n of them.
    labels
        0, 1 or NaN, shape (n, tasks).
    train
        Rows to fit on, shape (n,).
    trees
        Trees of a forest.
    seed
        Seed of the forests.

    Returns
    -------
    float64 (n, tasks); NaN for a task without both classes in training.

    Notes
    -----
    Entropy criterion, at least two molecules a leaf, balanced class weights: the forest of CHMR's
    structure-aware ensemble (arXiv 2511.21120).
    """
    from sklearn.ensemble import RandomForestClassifier

    store = featurize(smiles, FeatureOptions(graph=False))
    bits = np.hstack([store.dense("morgan"), store.dense("maccs")])
    probabilities = np.full(labels.shape, np.nan)
    for task in range(labels.shape[1]):
        rows = train & ~np.isnan(labels[:, task])
        if len(np.unique(labels[rows, task])) < 2:
            continue
        forest = RandomForestClassifier(
            trees,
            criterion="entropy",
            min_samples_leaf=2,
            class_weight="balanced",
            n_jobs=-1,
            random_state=seed,
        ).fit(bits[rows], labels[rows, task])
        probabilities[:, task] = forest.predict_proba(bits)[:, 1]
    return probabilities


def compare_on_planted(planted: Path, models: Mapping[str, Path], *, seed: int = 0) -> Comparison:
    """Score fine-tuned models and a random forest on the test fold of a planted corpus.

    Parameters
    ----------
    planted
        Directory written by ``cytomol corpus planted``.
    models
        Fine-tuned model directory of each column's name.
    seed
        Seed of the random forest.
    """
    table = pd.read_csv(planted / "assays.csv")
    fold = pd.read_csv(planted / "split.csv")["fold"].to_numpy()
    drivers = pd.read_parquet(planted / "truth" / "assays.parquet").set_index("task")["driver"]
    smiles, names = table["smiles"].tolist(), [name for name in table.columns if name != "smiles"]
    labels = table[names].to_numpy(dtype=np.float64)
    test = fold == "test"

    scores: dict[str, NDArray[np.float64]] = {}
    tested = [s for s, held in zip(smiles, test, strict=True) if held]
    for label, path in models.items():
        predictor = Predictor.load(path)
        answers = predictor.predict(tested)
        predicted = answers.values[:, [predictor.names.index(name) for name in names]]  # noqa: PD011
        scores[label] = score_tasks(labels[test], predicted, "roc_auc")[1]
    forest = random_forest(smiles, labels, fold == "train", seed=seed)
    scores["random forest"] = score_tasks(labels[test], forest[test], "roc_auc")[1]
    tasks = pd.DataFrame({"task": names, "driver": drivers.loc[names].to_numpy(), **scores})
    return Comparison(tasks, {name: int((fold == name).sum()) for name in ("train", "valid", "test")})
