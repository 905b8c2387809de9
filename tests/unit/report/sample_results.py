"""Small results as the verbs leave them, with names that strangers chose, for the tests of their reports."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from cytomol.evaluate.ablation_rows import COLUMNS as ABLATION_COLUMNS
from cytomol.evaluate.missing.stress_rows import COLUMNS as STRESS_COLUMNS
from cytomol.evaluate.rows import COLUMNS

STRANGER = "<img src=x onerror=alert(1)>"
MOLECULES = ["CCO", "c1ccccc1", "CCN", "C1CCCCC1"]


def is_whole(text: str) -> None:
    """Assert that a page is small, loads nothing, holds no markup of strangers, and names each thing once."""
    assert len(text.encode()) < 3_000_000
    assert "<img" not in text
    assert all(link.startswith(("#", "data:,")) for link in re.findall(r"(?:href|src)=\"([^\"]*)\"", text))
    names = re.findall(r"\bid=\"([^\"]+)\"", text)
    assert len(names) == len(set(names))


def history_of(epochs: int, *, valid: bool = True) -> list[dict[str, Any]]:
    """Return a history whose terms fall, one of them named by a stranger."""
    history = []
    for epoch in range(1, epochs + 1):
        terms = {"loss": 10 / epoch, f"reconstruction/{STRANGER}": 1 / epoch, "perplexity/1": 1.5}
        table = {"epoch": epoch, "step": epoch, "lr": 0.1, "seconds": 1.0, "molecules_per_second": 9.0}
        history.append({**table, "train": terms, "valid": terms if valid else {}})
    return history


OVERVIEW: dict[str, Any] = {
    "learnt_from": {
        "molecules": {"corpus": 40, "valid": 39, "train": 36, "validation": 3, "profiled": 13},
        "genes": 0,
        "modalities": [
            {"name": STRANGER, "kind": "morphology", "entity": "molecule", "features": 5, "profiles": 15,
             "entities": 13, "corrected": True},
        ],
        "relations": [],
        "context": {"nodes": 54, "edges": 20, "criteria": {"structure": 20}},
    },
    "codes": {"binary": True, "molecules": 39, "levels": [[30, 9], [30, 0, 4, 5]]},
    "map": {
        "way": "t-SNE",
        "names": ["molecule", STRANGER],
        "x": [float(i) for i in range(12)],
        "y": [float(-i) for i in range(12)],
        "is": [0] * 9 + [1] * 3,
        "nodes": [[0] * 6 + [1] * 6, [0] * 6 + [2] * 3 + [3] * 3],
        "measured": ["morphology"] * 3 + [""] * 9,
        "label": [STRANGER] * 4 + ["kinase"] * 2 + [""] * 6,
        "own": [{"name": STRANGER, "profiles": 3, "median_percent": 12.5}],
        "alike": {"molecules": 6, "share": 0.5, "chance": 0.25},
    },
    "label_kind": "moa",
}  # fmt: skip


def write_backbone(untrained: Path, path: Path) -> Path:
    """Write a backbone's directory with the record of a training and its figures, and return it."""
    shutil.copytree(untrained, path)
    training = {
        "method": "chmr", "epochs": 3, "stopped_early": False, "best_epoch": 3, "kept_epoch": 3,
        "loss_start": 11.0, "loss_end": 3.3, "seconds": 2.0, "molecules_per_second": 54.0,
        "data": {"corpus": "ab" * 32, "molecules": 40, "exclude": ["cd" * 32], "exclude_relations": True,
                 "excluded": {"molecules": 4, "profiles": 2, "relations": 7}},
        "history": history_of(3),
    }  # fmt: skip
    (path / "training.json").write_text(json.dumps(training), encoding="utf-8")
    (path / "overview.json").write_text(json.dumps(OVERVIEW), encoding="utf-8")
    return path


def benchmark_rows(
    scores: dict[tuple[str, str], float], *, fold: str = "test", metric: str = "roc_auc"
) -> pd.DataFrame:
    """Return rows of five seeds and six tasks, a little better from one to the next."""
    table = [
        {"set": name, "model": model, "seed": seed, "fold": fold, "task": f"t{task}", "metric": metric,
         "score": score + 0.01 * task + 0.001 * seed, "n": 20, "positives": 9, "seconds_fit": 2.5,
         "seconds_predict": 0.5, "seconds_features": 1.0, "peak_mb": 300.0, "version": "0.1.0", "commit": "a",
         "variant": ""}
        for (name, model), score in scores.items()
        for seed in range(5)
        for task in range(6)
    ]  # fmt: skip
    return pd.DataFrame(table)[list(COLUMNS)]


def write_benchmark(path: Path) -> Path:
    """Write a benchmark of two sets, on one of which one model is ahead throughout, and return its folder."""
    scores = {("chembl2k", "forest"): 0.70, ("chembl2k", STRANGER): 0.60}
    scores |= {("mine", "forest"): 0.60, ("mine", STRANGER): 0.60}
    benchmark_rows(scores).to_csv(path / "rows.csv", index=False)
    return path


def match_table(queries: int = 6, *, structures: bool = True) -> pd.DataFrame:
    """Return the matches of some queries with four candidates, and a query that has none."""
    rows = []
    for query in range(1, queries + 1):
        for rank in (1, 2, 3, 4):
            place = (query + rank) % 4 if rank > 1 else 0
            rows.append(
                {"query_row": query, "query_id": f"{STRANGER}{query}", "rank": rank,
                 "candidate_row": place + 1, "candidate_id": f"c{place}",
                 "candidate_smiles": MOLECULES[place] if structures else "",
                 "similarity": 0.9 - 0.1 * rank + 0.001 * query, "top_percent": 25.0 * rank,
                 "spreads": 2.0 - 0.3 * rank, "note": "", "error": ""}
            )  # fmt: skip
    rows.append({"query_row": queries + 1, "query_id": "bad", "error": f"no molecule {STRANGER}"})
    return pd.DataFrame(rows)


def write_stress(path: Path) -> Path:
    """Write a stress test of two fillings, rates and questions, the last point cut; return its folder."""
    rows = [
        {"method": "chmr", "filling": filling, "place": "pretraining", "pattern": "random", "hidden": "all",
         "rate": rate, "seed": 0, "share": rate, "measure": "matching", "on": on, "fold": "test",
         "task": "profile to molecule", "metric": "mrr", "score": 0.6 if rate == 0 else left, "low": 0.1,
         "high": 0.7, "n": 50, "chance": 0.05, "seconds": 12.0, "model": f"{filling}{rate}", "rows": 2}
        for filling, left in (("zero", 0.2), ("mean", 0.4))
        for rate in (0.0, 0.9)
        for on in ("morphology", STRANGER)
    ]  # fmt: skip
    rows.append({**rows[-1], "seed": 1, "score": 0.99})
    pd.DataFrame(rows)[list(STRESS_COLUMNS)].to_csv(path / "missing.csv", index=False)
    record = {"corpus": "ab" * 32, "sets": {"mine": "x"}, "method": "chmr", "options": {"epochs": 4}}
    (path / "missing.json").write_text(json.dumps(record), encoding="utf-8")
    return path


def write_ablation(path: Path) -> Path:
    """Write an ablation in which one variant is worse on every task and one by chance; return its folder."""
    rows = [
        {"study": "table2", "variant": variant, "method": "chmr", "seed": seed, "set": "mine", "fold": fold,
         "task": f"t{task}", "metric": "roc_auc", "score": 0.8 + by + 0.01 * task * (variant == "by chance"),
         "seconds_pretrain": 30.0, "seconds_finetune": 2.0, "model": f"{variant}{seed}"}
        for variant, by in (("full", 0.0), (STRANGER, -0.1), ("by chance", -0.025))
        for seed in (0, 1)
        for fold in ("valid", "test")
        for task in range(6)
    ]  # fmt: skip
    pd.DataFrame(rows)[list(ABLATION_COLUMNS)].to_csv(path / "ablation.csv", index=False)
    record = {"corpus": "ab" * 32, "exclude": [], "sets": {"mine": "x"}, "options": {"chmr": {"epochs": 4}}}
    (path / "ablation.json").write_text(json.dumps(record), encoding="utf-8")
    return path
