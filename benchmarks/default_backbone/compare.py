"""The embedding of backbones, put to one cheap learner on the published sets."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.fidelity.job import bits
from benchmarks.fidelity.learner import blocks_side_by_side, score_linear
from benchmarks.fidelity.rows import interval
from numpy.typing import NDArray

from cytomol.artifact.backbone import Backbone
from cytomol.evaluate.sets import BenchmarkSet, load_set
from cytomol.files import atomic_file

__all__ = [
    "ALONE",
    "BESIDE",
    "FINGERPRINTS",
    "SETS",
    "Entrant",
    "features_of",
    "score",
    "scores_file",
    "write_rows",
]

SETS = ("bace", "bbbp", "clintox", "chembl2k", "biogenadme", "sider", "broad6k", "toxcast", "hiv")
"""The nine sets, cheap ones first."""

ALONE, BESIDE = "embedding", "embedding and fingerprints"
FINGERPRINTS = "fingerprints alone"
_HEAVY = ("toxcast", "hiv")  # their many columns beside many tasks or molecules take an hour: embedding alone


@dataclass(frozen=True)
class Entrant:
    """A backbone that is compared.

    Attributes
    ----------
    name
        In the rows.
    path
        Its directory; "" for fingerprints alone.
    """

    name: str
    path: str


def score(entrant: Entrant, name: str, work: Path) -> Path:
    """Score an entrant on a set, where that was not done; return the file of its scores."""
    out = scores_file(work / "scores", entrant, name)
    if out.exists():
        return out
    import torch

    torch.set_num_threads(1)
    started = time.perf_counter()
    data = load_set(name)
    found = {
        what: _scores(data, blocks, standardise)
        for what, blocks, standardise in features_of(entrant, data.smiles, heavy=name in _HEAVY)
    }
    result = {"metric": data.metric, "scores": found, "seconds": round(time.perf_counter() - started, 1)}
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(out, force=True) as temporary:
        temporary.write_text(json.dumps(result) + "\n", encoding="utf-8")
    return out


def scores_file(folder: Path, entrant: Entrant, name: str) -> Path:
    """Return the file that keeps the scores of an entrant on a set."""
    return folder / f"{entrant.name.replace(' ', '-')}.{name}.json"


def features_of(
    entrant: Entrant, smiles: Sequence[str], *, heavy: bool = False
) -> Iterator[tuple[str, list[NDArray[np.float32]], list[bool]]]:
    """Yield what the learner reads: its name, the blocks, and which of them are standardised."""
    if not entrant.path:
        yield FINGERPRINTS, [bits(smiles)], [False]
        return
    backbone = Backbone.load(entrant.path)
    embedding = np.nan_to_num(backbone.embed(backbone.store(smiles, workers=1))[0])
    yield ALONE, [embedding], [True]
    if not heavy:
        yield BESIDE, [embedding, bits(smiles)], [True, False]


def _scores(
    data: BenchmarkSet, blocks: Sequence[NDArray[np.float32]], standardise: Sequence[bool]
) -> dict[str, dict[str, float]]:
    """Return the score of each task by fold, in points of 100."""
    X = blocks_side_by_side(blocks, standardise, data.folds == "train")
    scored = score_linear(X, data.labels.matrix.astype(np.float64), data.folds, data.metric)
    return {
        fold: {
            task: 100 * float(value)
            for task, value in zip(data.labels.names, values, strict=True)
            if np.isfinite(value)
        }
        for fold, values in scored.by_fold.items()
    }


def write_rows(
    entrants: Sequence[Entrant], against: Mapping[str, str], work: Path, path: Path
) -> pd.DataFrame:
    """Write a row for each set, kind of features, entrant and fold that has scores.

    Parameters
    ----------
    entrants
        In their order.
    against
        By entrant, the name of the one that it is compared with.
    work, path
        Where the scores lie, and the rows go.
    """
    results = {
        (entrant.name, name): json.loads(file.read_text(encoding="utf-8"))
        for name in SETS
        for entrant in entrants
        if (file := scores_file(work / "scores", entrant, name)).exists()
    }
    rows = [
        row
        for (entrant, name), result in results.items()
        for row in _rows(entrant, name, result, results, against)
    ]
    table = pd.DataFrame(rows)
    with atomic_file(path, force=True) as temporary:
        table.round(3).to_csv(temporary, index=False, lineterminator="\n")
    return table


def _rows(
    entrant: str,
    name: str,
    result: Mapping[str, Any],
    results: Mapping[tuple[str, str], Mapping[str, Any]],
    against: Mapping[str, str],
) -> Iterator[dict[str, Any]]:
    """Yield the rows of an entrant on a set; differences above 0 are better; 95% intervals over tasks."""
    other = results.get((against.get(entrant, ""), name))
    for features, by_fold in result["scores"].items():
        for fold, scores in by_fold.items():
            row = {
                "set": name,
                "metric": result["metric"],
                "features": features,
                "backbone": entrant,
                "fold": fold,
                "tasks": len(scores),
                "value": float(np.mean(list(scores.values()))),
            }
            if other is not None and features in other["scores"]:
                sign = -1 if result["metric"] == "mae" else 1
                theirs = other["scores"][features][fold]
                gains = np.array([sign * (scores[task] - theirs[task]) for task in scores if task in theirs])
                low, high = interval(gains)
                row |= {
                    "against": against[entrant],
                    "difference": float(gains.mean()),
                    "low": low,
                    "high": high,
                }
            yield row
