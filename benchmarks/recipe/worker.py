"""One fit of the recipe, by whichever code this process finds first: ``python -P worker.py SPEC OUT``.

The code before has other modules, so only what both have is imported here, and what one of them has where it
is called. The labels of the test fold are hidden from both.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytomol.evaluate.coverage import coverage_row
from cytomol.evaluate.job import source_commit
from cytomol.evaluate.rows import Job
from cytomol.evaluate.sets import BenchmarkSet, load_set
from cytomol.predict.uncertainty import UncertaintyAnswer, coverage_report

STATED = 0.9


def main() -> None:
    """Fit, predict the test fold, and write what was answered (``OUT.npz``) and said of it (``OUT.json``)."""
    spec, out = json.loads(sys.argv[1]), Path(sys.argv[2])
    _check_code(Path(spec["code"]))
    data = _part(load_set(spec["set"]), spec["molecules"])
    began = time.perf_counter()
    predictor = _FITS[spec["which"]](data, seed=spec["seed"], threads=spec["threads"])
    seconds = time.perf_counter() - began
    rows = np.flatnonzero(data.folds == "test")
    answers = predictor.predict(
        [data.smiles[row] for row in rows], workers=1, uncertainty=True, coverage=STATED
    )
    observed = data.labels.matrix[rows]
    np.savez(out.with_suffix(".npz"), predicted=answers.values, observed=observed)
    said = {"seconds": seconds, "metric": data.metric, "molecules": len(data), "commit": source_commit()}
    said |= _certainty(data, answers.uncertainty, observed)
    out.with_suffix(".json").write_text(json.dumps(said), encoding="utf-8")


def _check_code(code: Path) -> None:
    """Refuse to measure other code than that which was asked for."""
    found = Path(sys.modules["cytomol"].__file__ or "").resolve()
    if code.resolve() not in found.parents:
        raise SystemExit(f"error: {found} is not below {code}: is there a package in {code / 'src'}?")


def _part(data: BenchmarkSet, molecules: int) -> BenchmarkSet:
    """Return so many molecules, drawn at random, for a rehearsal; 0 takes all."""
    if not molecules or molecules >= len(data):
        return data
    rows = np.sort(np.random.default_rng(0).permutation(len(data))[:molecules])
    labels = data.labels.take(rows)
    return replace(data, smiles=[data.smiles[row] for row in rows], labels=labels, folds=data.folds[rows])


def _fit_before(data: BenchmarkSet, *, seed: int, threads: int) -> Any:
    train_model = importlib.import_module("cytomol.predict.trained").train_model
    options = {"folds": data.folds, "seed": seed, "threads": threads, "workers": threads, "cache": None}
    return train_model("cytomol", data.smiles, data.training_labels(), **options)


def _fit_now(data: BenchmarkSet, *, seed: int, threads: int) -> Any:
    from cytomol.predict.finetune import finetune

    return finetune(
        data.smiles,
        data.training_labels(),
        folds=data.folds,
        learner="cytomol",
        refit=False,
        baselines=False,
        seed=seed,
        threads=threads,
        workers=threads,
        cache=None,
    ).predictor


_FITS = {"before": _fit_before, "now": _fit_now}


def _certainty(
    data: BenchmarkSet, answer: UncertaintyAnswer, observed: NDArray[np.float64]
) -> dict[str, float | None]:
    """Return the share of labels that sets and intervals hold, that of the class held least, and the size."""
    labels = data.labels.matrix[data.folds == "train"]
    known = ~np.isnan(labels)
    spread = np.array([float(labels[own, at].std()) if own.any() else 0.0 for at, own in enumerate(known.T)])
    row = coverage_row(Job(data.name, "cytomol", 0), answer, observed, spread)
    overall = coverage_report(answer, observed)["overall"]
    classes = [overall[key] for key in ("coverage_0", "coverage_1") if overall.get(key) is not None]
    return {"covered": row["covered"], "covered_class": min(classes, default=None), "size": row["size"]}


if __name__ == "__main__":
    main()
