"""Results of a campaign, made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from cytomol.evaluate.results import Results
from cytomol.evaluate.rows import Job


@pytest.fixture
def keep() -> Callable[..., None]:
    """Keep predictions of tasks t0, t1, ... of one fold and write the rows that they score."""
    return _keep


def _keep(folder: Path, job: Job, fold: str, predicted: np.ndarray, observed: np.ndarray) -> None:
    cost = {"seconds_fit": 60.0, "seconds_predict": 2.0, "seconds_features": 10.0, "peak_mb": 500.0}
    rest = {**vars(job), "fold": fold, "metric": "roc_auc", "n": 50, "positives": 9, "version": "0", **cost}
    known = ~np.isnan(predicted).any(axis=1)
    scores = [
        roc_auc_score(observed[known, task], predicted[known, task]) for task in range(observed.shape[1])
    ]
    rows = [{**rest, "commit": "", "task": f"t{task}", "score": score} for task, score in enumerate(scores)]
    Results(folder).append(job, rows, [])
    (folder / "predictions").mkdir(exist_ok=True)
    np.savez(
        folder / "predictions" / f"{job.stem}.npz",
        index=np.arange(len(observed)),
        fold=np.full(len(observed), fold),
        predicted=predicted,
        observed=observed,
    )
