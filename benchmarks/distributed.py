"""Two processes that train together against one on the same batches: `python -m benchmarks.distributed`.

Each method learns from a planted corpus, once in one process and once in two that torchrun starts (gloo, on
the CPU), with everything random left on. A row for every term of the loss and side of the data says how far
the two curves are apart in the epoch where that is farthest, and what one process had there. As a measure of
rounding alone, one process that computes with two threads is compared with itself too.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "distributed.csv"
_TREE = ["--quantizer", "leaves", "--quantized", "anchor"]
# options by name: the defaults of each method, and forms that draw more, or choose other codes
FORMS = {
    "infoalign": ["--method", "infoalign"],
    "chmr": ["--method", "chmr", "--views", "1d,2d"],
    "chmr with leaves": ["--method", "chmr", "--views", "1d,2d", *_TREE],
    "contrastive": ["--method", "contrastive"],
}


def history(path: Path) -> list[dict[str, Any]]:
    """Return what a training wrote of each epoch."""
    found: list[dict[str, Any]] = json.loads((path / "training.json").read_text())["history"]
    return found


def differences(one: list[dict[str, Any]], two: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each side and term: the largest relative difference over the epochs, and the first.

    Examples
    --------
    >>> one = [{"train": {"loss": 2.0}, "valid": {}}, {"train": {"loss": 4.0}, "valid": {}}]
    >>> two = [{"train": {"loss": 2.0}, "valid": {}}, {"train": {"loss": 4.1}, "valid": {}}]
    >>> rows = differences(one, two)
    >>> [(row["side"], row["term"], row["epoch"], round(row["relative"], 4)) for row in rows]
    [('train', 'loss', 2, 0.025)]
    """
    rows = []
    for side in ("train", "valid"):
        for term in one[0][side]:
            pairs = [(before[side][term], after[side][term]) for before, after in zip(one, two, strict=True)]
            apart = [abs(after - before) / max(abs(before), 1e-12) for before, after in pairs]
            worst = max(range(len(pairs)), key=apart.__getitem__)
            value, other = pairs[worst]
            rows.append(
                {
                    "side": side,
                    "term": term,
                    "epoch": worst + 1,
                    "one": value,
                    "other": other,
                    "relative": apart[worst],
                    "relative_first": apart[0],
                }
            )
    return rows


def trained(
    corpus: Path, out: Path, options: list[str], *, processes: int = 1, threads: int = 1
) -> list[dict[str, Any]]:
    """Train in one process or in several that torchrun starts, unless that was done; return the history."""
    if (out / "training.json").is_file():
        return history(out)
    start = [sys.executable, "-m"]
    if processes > 1:
        start += ["torch.distributed.run", "--standalone", "--nproc-per-node", str(processes), "-m"]
    command = [*start, "cytomol", "pretrain", str(corpus), "-o", str(out), "--force", "--no-report", "-q"]
    command += [*options, "--threads", str(threads)]
    subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": str(threads)})
    return history(out)


def main() -> None:
    """Plant a corpus, train every form twice, and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--molecules", type=int, default=600)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--forms", default=",".join(FORMS), help="which of: %(default)s")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()) / "cytomol-distributed")
    parser.add_argument("--results", type=Path, default=RESULTS)
    chosen = parser.parse_args()
    corpus = chosen.work / f"corpus-{chosen.molecules}"
    if not corpus.is_dir():
        plant = [sys.executable, "-m", "cytomol", "corpus", "planted", "-o", str(corpus)]
        subprocess.run([*plant, "--size", str(chosen.molecules)], check=True)
    common = f"--epochs {chosen.epochs} --batch-size 128 --width 64 --layers 3".split()
    rows = []
    for form in chosen.forms.split(","):
        name = f"{form.replace(' ', '-')}-{chosen.molecules}-{chosen.epochs}"
        options = [*FORMS[form], *common, "--accelerator", "cpu"]
        one = trained(corpus, chosen.work / f"{name}-one", options)
        others = {
            "2 processes": trained(corpus, chosen.work / f"{name}-two", options, processes=2),
            "2 threads": trained(corpus, chosen.work / f"{name}-threads", options, threads=2),
        }
        about = {
            "date": datetime.now(UTC).date().isoformat(),
            "form": form,
            "molecules": chosen.molecules,
            "epochs": chosen.epochs,
            "torch": torch.__version__,
        }
        for what, other in others.items():
            found = differences(one, other)
            rows += [about | {"compared": what} | row for row in found]
            worst = [max(r["relative"] for r in found if r["side"] == side) for side in ("train", "valid")]
            print(f"{form}, {what}: relative {worst[0]:.1e} (train), {worst[1]:.1e} (valid)", flush=True)
    with chosen.results.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})


if __name__ == "__main__":
    main()
