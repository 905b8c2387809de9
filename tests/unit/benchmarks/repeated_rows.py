"""Made-up rows of repeated cross-validation."""

from __future__ import annotations

import numpy as np
import pandas as pd


def rows(
    means: dict[str, float],
    *,
    name: str = "bace",
    metric: str = "roc_auc",
    repeats: int = 5,
    noise: float = 0.01,
    seed: int = 0,
) -> pd.DataFrame:
    """Return rows of models about a mean, each fold hard or easy for all."""
    random = np.random.default_rng(seed)
    found = []
    for repeat in range(repeats):
        for fold in range(5):
            hard = 0.05 * random.normal()
            about = {"set": name, "repeat": repeat, "fold": fold, "metric": metric}
            about |= {"n_train": 70, "n_valid": 10, "n_test": 20}
            for model, mean in means.items():
                value = mean + hard + noise * random.normal()
                found.append({**about, "model": model, "value": value})
    return pd.DataFrame(found)


SOME = {"cytomol": 0.80, "forest": 0.79, "kernel": 0.70, "mlp": 0.90}
