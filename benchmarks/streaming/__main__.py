"""Answer many planted molecules, kill the run in the middle, go on: ``python -m benchmarks.streaming``.

Without MODEL, ``predict`` asks a small model that is fitted here to a planted assay (nearest neighbours on
fingerprints), the other verbs the backbone that comes with cytomol. ``match`` looks among 1,000 planted
molecules; it and ``explain`` are of one of that backbone's modalities, and take no MODEL.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.streaming.planted import write_assay, write_molecules
from benchmarks.streaming.watched_run import finished_parts, watch_run

RESULTS = Path(__file__).parents[1] / "results" / "streaming.csv"
_MODALITY = ("--modality", "morphology_jump_phenotype60")
_CANDIDATES = 1000
_OF_VERB: dict[str, tuple[str, ...]] = {
    "predict": ("--no-evidence",),
    "embed": (),
    "impute": (),
    "match": (*_MODALITY, "--no-report"),
    "explain": _MODALITY,
}


def main() -> None:
    """Write one row: memory, time, and whether the output after a kill is that of a run without."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.streaming", description=__doc__)
    parser.add_argument("model", nargs="?", help="directory of a model; by default a small one is made")
    parser.add_argument("--verb", choices=list(_OF_VERB), default="predict")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--chunk-rows", type=int, default=16384)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--work", type=Path, default=Path("build/streaming"))
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    if options.model and options.verb in {"match", "explain"}:
        parser.error(f"{options.verb} is measured with the backbone that comes with cytomol: leave MODEL out")
    options.work.mkdir(parents=True, exist_ok=True)
    model = options.model or small_model(options.verb, options.work)
    row = measured(options, model)
    print(row)
    keep(options.output, row)


def small_model(verb: str, work: Path) -> str:
    """Return the model that a verb asks where none is named; one that predicts is fitted once."""
    if verb != "predict":
        return "default"
    model = work / "model"
    if not model.is_dir():
        write_assay(work / "assay.csv")
        ask = ["finetune", str(work / "assay.csv"), "--targets", "value", "--learner", "neighbours"]
        ask += ["--split-type", "random", "--no-report", "--no-baselines", "--workers", "1", "-q"]
        subprocess.run([sys.executable, "-m", "cytomol", *ask, "-o", str(model)], check=True)
    return str(model)


def measured(options: argparse.Namespace, model: str) -> dict[str, Any]:
    """Run once as a whole and once with a kill in the middle; return the row."""
    table = options.work / f"planted-{options.rows}.csv"
    write_molecules(table, options.rows)
    whole, cut = (options.work / f"{options.verb}-{name}.csv" for name in ("whole", "killed"))
    for out in (whole, cut):
        out.unlink(missing_ok=True)
    ask = [options.verb, model, str(table), "--workers", str(options.workers)]
    ask += ["--chunk-rows", str(options.chunk_rows), *_OF_VERB[options.verb], "-q"]
    if options.verb == "match":
        candidates = options.work / "candidates.csv"
        write_molecules(candidates, _CANDIDATES)
        ask += ["--in", str(candidates)]
    chunks = -(-options.rows // options.chunk_rows)
    straight = watch_run([*ask, "-o", str(whole)], whole)
    first = watch_run([*ask, "-o", str(cut)], cut, kill_at=max(1, chunks // 2))
    there = len(finished_parts(cut))
    second = watch_run([*ask, "-o", str(cut), "--resume"], cut)
    runs = (straight, first, second)
    return {
        "verb": options.verb,
        "model": options.model or {"predict": "neighbours"}.get(options.verb, model),
        "rows": options.rows,
        "chunk_rows": options.chunk_rows,
        "workers": options.workers,
        "input_mb": round(table.stat().st_size / 1e6, 1),
        "output_mb": round(whole.stat().st_size / 1e6, 1),
        "peak_mb_process": round(max(run.largest for run in runs)),
        "peak_mb_tree": round(max(run.tree for run in runs)),
        "seconds": round(straight.seconds, 1),
        "chunks": chunks,
        "finished_at_kill": there,
        "repeated_chunks": second.again,
        "chunk_seconds": round(first.chunk_seconds, 1),
        "lost_seconds": round(first.lost_seconds, 1),
        "seconds_killed": round(first.seconds, 1),
        "seconds_resumed": round(second.seconds, 1),
        "identical": digest(whole) == digest(cut),
    }


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def keep(path: Path, row: dict[str, Any]) -> None:
    """Write a row among the others, in the place of one of the same verb, rows and processes."""
    named = ("verb", "rows", "workers")
    rows: list[dict[str, Any]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as handle:
            rows = [one for one in csv.DictReader(handle) if any(one[k] != str(row[k]) for k in named)]
    rows = sorted([*rows, row], key=lambda one: (str(one["verb"]), int(one["rows"]), int(one["workers"])))
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
