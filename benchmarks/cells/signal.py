"""What weights and corrections of profiles do: ``python -m benchmarks.cells.signal --work WORK -o OUT``.

Four learners (ridge from fingerprints, and the three methods with small budgets) learn from the profiles of
four scaffold folds as they were measured, weighted by reliability, and corrected for library (real) or plate
(planted); the molecules of the fifth fold are matched and imputed, and a linear learner reads the embedding.
Cut at any time, it goes on when called again; seeds are the numbers of the folds.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from benchmarks.cells.ground import FOLDS, planted_ground, real_ground
from benchmarks.cells.signal_corpora import FORMS, annotated
from benchmarks.cells.signal_job import METHODS, Job, run
from benchmarks.fidelity.matching import taken
from numpy.typing import NDArray

from cytomol.files import atomic_file

__all__ = ["COLUMNS", "main"]

_ROOT = Path(__file__).resolve().parents[2]
_OUT = _ROOT / "benchmarks" / "results" / "cells" / "signal.csv"
COLUMNS = (
    *("corpus", "method", "form", "figure", "stratum", "value", "low", "high"),
    *("gain", "gain_low", "gain_high", "n", "folds"),
)
_FOLDS = {"ridge": FOLDS, "contrastive": FOLDS, "chmr": 2, "infoalign": 2}
_DRAWS = 2_000
_TOP = 0.05

# figure -> stratum -> unit (a molecule, an assay) -> (above the line, below it): a ratio of sums, or a mean
Units = dict[str, dict[str, dict[str, tuple[float, float]]]]


def main(arguments: list[str] | None = None) -> int:
    """Run what has no result yet and write the rows; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells.signal", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder outside the repository")
    parser.add_argument("-o", "--out", type=Path, default=_OUT)
    parser.add_argument("--methods", default=",".join(METHODS), help="a,b (all)")
    parser.add_argument("--grounds", default="real,planted-0", help="real, planted-0 (both)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="start no job after these")
    options = parser.parse_args(arguments)
    began, chosen = time.monotonic(), options.grounds.split(",")
    makers = {"real": real_ground, "planted-0": planted_ground}
    grounds = {name: makers[name](options.work) for name in chosen}
    work = options.work / "signal"
    corpora = {name: annotated(ground, work) for name, ground in grounds.items()}
    for job in _jobs(chosen, options.methods.split(",")):
        path = work / "jobs" / f"{job.name}.json"
        if path.exists() or time.monotonic() - began > options.minutes * 60:
            continue
        start = time.monotonic()
        found = run(job, grounds[job.ground], corpora[job.ground], work)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(path, force=True) as temporary:
            temporary.write_text(json.dumps(found), encoding="utf-8")
        print(f"{job.name}: {time.monotonic() - start:.0f} s", flush=True)
    rows = pd.DataFrame(_rows(work / "jobs"), columns=COLUMNS)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(options.out, force=True) as temporary:
        rows.to_csv(temporary, index=False, float_format="%.4f", lineterminator="\n")
    return 0


def _jobs(grounds: list[str], methods: list[str]) -> Iterator[Job]:
    """Yield all jobs, fold by fold, so that a cut leaves whole comparisons."""
    for fold in range(FOLDS):
        for method in methods:
            for ground in grounds if fold < _FOLDS[method] else ():
                for form in FORMS:
                    yield Job(ground, method, form, fold)


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield a row for each figure of each form, with its gain over the profiles as measured."""
    for ground in ("real", "planted-0"):
        for method in METHODS:
            for form in FORMS:
                folds = [
                    fold
                    for fold in range(_FOLDS[method])
                    if all(
                        (folder / f"{Job(ground, method, one, fold).name}.json").exists()
                        for one in (form, "as measured")
                    )
                ]
                if folds:
                    plain = _units(folder, ground, method, "as measured", folds)
                    found = _units(folder, ground, method, form, folds)
                    yield from (
                        {"corpus": ground, "method": method, "form": form, "folds": len(folds), **row}
                        for row in _figure_rows(found, plain, form)
                    )


def _figure_rows(found: Units, plain: Units, form: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each figure and stratum of a form."""
    for figure, strata in found.items():
        for stratum, units in strata.items():
            row = _figures(units, plain[figure][stratum], form)
            yield {"figure": figure, "stratum": stratum, "n": len(units), **row}


def _units(folder: Path, ground: str, method: str, form: str, folds: list[int]) -> Units:
    """Return the single values behind each figure of a form."""
    units: Units = {}
    assays: dict[str, list[float]] = {}
    for fold in folds:
        name = Job(ground, method, form, fold).name
        found = json.loads((folder / f"{name}.json").read_text("utf-8"))
        for direction, strata in found["places"].items():
            for stratum, parts in strata.items():
                places = np.array(parts.get("test", []))
                if not len(places):
                    continue
                top = (places < taken(_TOP, len(places))).astype(float)
                for figure, values in (("top 5%", top), ("reciprocal rank", 1 / (1 + places))):
                    own = units.setdefault(f"{figure}, {direction}", {}).setdefault(stratum, {})
                    own |= {f"{fold} {row}": (float(v), 1.0) for row, v in enumerate(values)}
        for stratum, sums in found.get("errors", {}).items():
            for word in ("measured", "freed"):
                own = units.setdefault(f"R2 over the mean, {word}", {}).setdefault(stratum, {})
                pairs = zip(sums[f"form, {word}"], sums[f"mean, {word}"], strict=True)
                for row, (error, most) in enumerate(pairs):
                    own[f"{fold} {row}"] = (most - error, most)
        for assay, score in found.get("scores", {}).items():
            assays.setdefault(assay, []).append(score)
    if assays:
        means = {assay: (float(np.mean(scores)), 1.0) for assay, scores in assays.items()}
        units["ROC-AUC of a linear learner"] = {"assays": means}
    return units


@lru_cache(maxsize=16)
def _drawn_again(n: int) -> NDArray[np.int64]:
    """Return how often each of n units is drawn, shape (draws, n)."""
    return np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=_DRAWS)


def _figures(
    units: dict[str, tuple[float, float]], plain: dict[str, tuple[float, float]], form: str
) -> dict[str, float]:
    """Return the figure and its gain over the profiles as measured, with intervals over units drawn again."""
    own, other = (np.array([side[unit] for unit in units if unit in plain]) for side in (units, plain))
    drawn = _drawn_again(len(own))

    def ratio(side: NDArray[np.float64], weight: NDArray[np.int64]) -> NDArray[np.float64]:
        return (weight @ side[:, 0]) / np.maximum(weight @ side[:, 1], 1e-12)

    once = np.ones((1, len(own)), np.int64)
    low, high = np.quantile(ratio(own, drawn), [0.025, 0.975])
    row = {"value": ratio(own, once)[0], "low": low, "high": high}
    if form == "as measured":
        return row
    gains = ratio(own, drawn) - ratio(other, drawn)
    gain_low, gain_high = np.quantile(gains, [0.025, 0.975])
    gain = (ratio(own, once) - ratio(other, once))[0]
    return {**row, "gain": gain, "gain_low": gain_low, "gain_high": gain_high}


if __name__ == "__main__":
    sys.exit(main())
