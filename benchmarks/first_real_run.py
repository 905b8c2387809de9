"""Pretrain both methods on the real corpus, fine-tune on three assay sets, and write one table.

Every step is the command line that a user would type. Rows are written as they finish, and a run
that was cut goes on where it stopped. Profiles and relations of every molecule that is tested are left out of
pretraining (``--exclude-profiles-of``), so no number here has seen them; splits are the given files,
and the test fold is read once, after the last epoch was chosen on the validation fold.

    CYTOMOL_DATA=/path/to/data make first-real-run
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

RESULTS = Path(__file__).parent / "results" / "first_real_run.csv"
SETS = {"biogenadme": "mae", "chembl2k": "roc_auc", "broad6k": "roc_auc"}


@dataclass(frozen=True)
class Row:
    """One row of the table: a backbone, what its head reads, how many heads are averaged, and which."""

    label: str
    backbone: str
    features: str
    heads: int = 1
    head: str = "auto"

    def folder(self, work: Path, name: str, seed: int) -> Path:
        """Return the model directory of a set and seed."""
        several = f"-x{self.heads}" if self.heads > 1 else ""
        return work / "heads" / f"{name}-{self.backbone}-{self.features}{several}-{seed}"


ROWS = (
    Row("InfoAlign", "infoalign", "1d+embedding", head="infoalign"),
    Row("InfoAlign, embedding alone", "infoalign", "embedding", head="infoalign"),
    Row("InfoAlign untrained", "infoalign-untrained", "1d+embedding", head="infoalign"),
    Row("CHMR", "chmr", "1d+embedding", head="chmr"),
    Row("CHMR, embedding alone", "chmr", "embedding", head="chmr"),
    Row("CHMR untrained", "chmr-untrained", "1d+embedding", head="chmr"),
    Row("1D features alone", "chmr-untrained", "1d", head="chmr"),
    Row("CHMR and descriptors, five heads", "chmr", "embedding+counts+descriptors", heads=5),
    Row("1D features and descriptors, five heads", "chmr-untrained", "1d+counts+descriptors", heads=5),
    Row("Counts and descriptors, five heads", "chmr-untrained", "counts+descriptors", heads=5),
)


def cytomol(*args: str) -> float:
    """Run one cytomol command; return its wall-clock seconds."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "cytomol", *args]
    print("$ cytomol", " ".join(args), flush=True)
    subprocess.run(command, check=True)
    return time.perf_counter() - started


def tested_molecules(data: Path, work: Path) -> Path:
    """Write the SMILES of every test molecule of the three sets."""
    smiles: list[str] = []
    for name in SETS:
        table = pd.read_csv(data / "benchmarks" / name / "assays.csv.gz", usecols=["smiles"])
        fold = pd.read_csv(data / "benchmarks" / name / "split.csv.gz").set_index("index")["fold"]
        smiles += table["smiles"][fold.loc[range(len(table))].to_numpy() == "test"].tolist()
    path = work / "tested.csv"
    pd.DataFrame({"smiles": sorted(set(smiles))}).to_csv(path, index=False)
    return path


def pretrain(data: Path, work: Path, options: argparse.Namespace) -> None:
    """Pretrain both methods, and write their untrained twins."""
    common = [str(data / "corpus"), "--exclude-profiles-of", str(tested_molecules(data, work)), "--seed", "0"]
    # as the committed rows were made: these were the defaults
    common += ["--gene-profiles", "leaf", "--unprofiled-genes", *options.extra]
    views = ["--views", options.views]
    runs = {
        "infoalign": ["--method", "infoalign", "--epochs", str(options.epochs)],
        "infoalign-untrained": ["--method", "infoalign", "--epochs", "0"],
        "chmr": ["--method", "chmr", "--epochs", str(options.epochs), *views],
        "chmr-untrained": ["--method", "chmr", "--epochs", "0", *views],
    }
    runs["chmr"] += ["--init-encoder", str(work / "infoalign")]
    for name, arguments in runs.items():
        if not (work / name).exists():
            cytomol("pretrain", *common, *arguments, "-o", str(work / name))


def finetune(data: Path, work: Path, seeds: int) -> None:
    """Fine-tune every row on every set and seed."""
    runs = itertools.product(range(seeds), SETS, ROWS)
    # single heads first: what costs most comes last, so that a run that is cut has the most rows
    for seed, name, row in sorted(runs, key=lambda run: (run[2].heads, run[0])):
        folder, out = data / "benchmarks" / name, row.folder(work, name, seed)
        if out.exists():
            continue
        arguments = [str(folder / "assays.csv.gz"), "--backbone", str(work / row.backbone)]
        arguments += ["--smiles-col", "smiles", "--split", str(folder / "split.csv.gz")]
        arguments += ["--features", row.features, "--ensemble", str(row.heads), "--head", row.head]
        # seeds of an ensemble's heads follow each other: keep those of two runs apart
        arguments += ["--seed", str(seed * row.heads), "-o", str(out)]
        arguments += ["--learner", "head", "--no-refit", "--calibration-folds", "0", "--no-baselines"]
        seconds = cytomol("finetune", *arguments)
        _seconds(out).write_text(f"{seconds:.1f}\n")
        collect(work)


def _seconds(out: Path) -> Path:
    """Return the file beside a model directory that holds its time; a file within would be foreign to it."""
    return out.parent / f"{out.name}.seconds"


def collect(work: Path) -> None:
    """Gather what has finished into the committed table."""
    table: list[dict[str, object]] = []
    for row, name, seed in itertools.product(ROWS, SETS, range(100)):
        folder = row.folder(work, name, seed)
        if not _seconds(folder).exists():
            continue
        training = json.loads((work / row.backbone / "training.json").read_text())
        scores = json.loads((folder / "scores.json").read_text())
        table.append(
            {
                "row": row.label,
                "set": name,
                "metric": SETS[name],
                "seed": seed,
                "valid": round(scores["valid"]["mean"], 4),
                "test": round(scores["test"]["mean"], 4),
                "finetune_seconds": float(_seconds(folder).read_text()),
                "pretrain_epochs": training["epochs"],
                "pretrain_loss_start": training["loss_start"],
                "pretrain_loss_end": training["loss_end"],
                "pretrain_minutes": round(training["seconds"] / 60, 2) or None,
                "pretrain_molecules_per_second": training["molecules_per_second"] or None,
            }
        )
    temporary = RESULTS.with_suffix(".tmp")
    pd.DataFrame(table).round(4).to_csv(temporary, index=False, lineterminator="\n")
    temporary.replace(RESULTS)


def report() -> None:
    """Write docs/first_real_run.md from the committed rows."""
    table = pd.read_csv(RESULTS)
    scale = {"roc_auc": 100.0, "mae": 1.0}
    sets = [name for name in SETS if name in set(table["set"])]
    lines = [
        "# The first real run",
        "",
        "Generated by `python benchmarks/first_real_run.py --report` from",
        "[the rows](../benchmarks/results/first_real_run.csv). Test fold, mean ± standard deviation over",
        "fine-tuning seeds (their number in brackets), one pretraining seed. ROC-AUC in %, higher is better;",
        "MAE of biogenadme, lower is better. The profiles of every tested molecule, and of those that share",
        "its connectivity, were left out of pretraining. Splits as given; epochs chosen on valid.",
        "Their relations (annotated targets, 1,191 of 156 tested molecules of chembl2k) were in the context",
        "when these rows were made; `--exclude-profiles-of` leaves them out since.",
        "",
        "| | " + " | ".join(f"{name} ({SETS[name]})" for name in sets) + " |",
        "|---|" + "---|" * len(sets),
    ]
    for row in ROWS:
        cells = []
        for name in sets:
            scores = (
                table.loc[(table["row"] == row.label) & (table["set"] == name), "test"] * scale[SETS[name]]
            )
            digits = 1 if SETS[name] == "roc_auc" else 3
            spread = f" ± {scores.std():.{digits}f}" if len(scores) > 1 else ""
            cells.append(f"{scores.mean():.{digits}f}{spread} ({len(scores)})" if len(scores) else "")
        if any(cells):
            lines.append(f"| {row.label} | " + " | ".join(cells) + " |")
    lines += ["", "| pretraining | epochs | loss, first step | loss, last epoch | minutes | molecules/s |"]
    lines += ["|---|---|---|---|---|---|"]
    for backbone, label in (("infoalign", "InfoAlign"), ("chmr", "CHMR")):
        labels = [row.label for row in ROWS if row.backbone == backbone]
        for _, run in table[table["row"].isin(labels)].head(1).iterrows():
            lines.append(
                f"| {label} | {run['pretrain_epochs']} | {run['pretrain_loss_start']:.3f} | "
                f"{run['pretrain_loss_end']:.3f} | {run['pretrain_minutes']:.1f} | "
                f"{run['pretrain_molecules_per_second']:.0f} |"
            )
    lines += [
        "",
        "36,924 molecules, two cores, bf16 autocast, views 2d (InfoAlign) and 1d, 2d, 3d (CHMR, whose graph",
        "encoder starts from InfoAlign's). Other work ran on the same two cores, so the minutes are more and",
        "the rates less than an idle machine gives. Losses of the two methods are sums of different terms.",
        "",
    ]
    (Path(__file__).parents[1] / "docs" / "first_real_run.md").write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    """Run, or go on with, the whole experiment."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=Path, default=Path("first-real-run"), help="folder of the models")
    parser.add_argument("--epochs", type=int, default=10, help="passes over the corpus, of each method")
    parser.add_argument("--seeds", type=int, default=3, help="fine-tuning seeds")
    parser.add_argument("--views", default="1d,2d,3d", help="views of CHMR")
    parser.add_argument("--restart", action="store_true", help="throw away what an earlier run left")
    parser.add_argument("--report", action="store_true", help="only write the page from the committed rows")
    options, options.extra = parser.parse_known_args()
    if options.report:
        report()
        return
    if "CYTOMOL_DATA" not in os.environ:
        parser.error("set CYTOMOL_DATA to the folder that holds corpus/ and benchmarks/")
    data = Path(os.environ["CYTOMOL_DATA"]).resolve()
    if options.restart:
        shutil.rmtree(options.work, ignore_errors=True)
    options.work.mkdir(parents=True, exist_ok=True)
    pretrain(data, options.work, options)
    finetune(data, options.work, options.seeds)
    collect(options.work)
    report()
    table = pd.read_csv(RESULTS)
    print(table.groupby(["set", "row"])["test"].agg(["mean", "std", "count"]).round(4).to_string())


if __name__ == "__main__":
    main()
