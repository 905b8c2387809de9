"""Peak memory of the verbs of `cells` over tables of growing length, each in a process of its own.

``python -m benchmarks.cells.memory --model DIR --modality NAME --work WORK -o OUT`` writes a row for each
command and length; rows that OUT holds are not measured again. Another verb is another entry of COMMANDS.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.quality.backbones import corpus_folder

from cytomol.files import atomic_file

__all__ = ["COMMANDS", "LENGTHS", "Tables", "main"]

LENGTHS = (12_500, 25_000, 50_000, 100_000)
_ROW_GROUP = 10_000  # rows of a row group of Parquet, where there are several
_OTHERS = 1_000  # rows of the table on the other side
_SHORT = 4_000  # molecules that are repeated: the shortest of the real corpus, so that it takes minutes


@dataclass(frozen=True)
class Tables:
    """Tables of any length for one model.

    Attributes
    ----------
    model
        Directory of the model.
    modality
        The modality.
    work
        Where the tables are written.
    """

    model: Path
    modality: str
    work: Path

    def molecules(self, rows: int) -> Path:
        """Return a CSV of so many molecules, the shortest of the corpus over and over."""
        path = self.work / f"molecules-{rows}.csv"
        if not path.exists():
            smiles = pd.read_parquet(corpus_folder() / "molecules.parquet")["smiles"]
            short = smiles[smiles.str.len().sort_values(kind="stable").index[:_SHORT]].to_numpy()
            table = pd.DataFrame(
                {"name": [f"m{row}" for row in range(rows)], "smiles": np.resize(short, rows)}
            )
            with atomic_file(path) as temporary:
                table.to_csv(temporary, index=False)
        return path

    def profiles(self, rows: int, suffix: str) -> Path:
        """Return a table of so many made-up profiles."""
        path = self.work / f"profiles-{rows}.{suffix}"
        if not path.exists():
            config = json.loads((self.model / "config.json").read_text(encoding="utf-8"))
            columns = config["modalities"][self.modality]["columns"]
            values = np.random.default_rng(rows).normal(size=(rows, len(columns))).astype(np.float32)
            table = pd.DataFrame(values, columns=columns)
            table.insert(0, "Metadata_name", [f"p{row}" for row in range(rows)])
            with atomic_file(path) as temporary:
                if suffix == "csv":
                    table.to_csv(temporary, index=False)
                else:
                    table.to_parquet(
                        temporary, row_group_size=_ROW_GROUP if suffix == "groups.parquet" else None
                    )
        return path


def _match(tables: Tables, queries: Path, candidates: Path, *more: str) -> list[str]:
    out = str(tables.work / "out.parquet")
    return ["match", str(tables.model), str(queries), "--in", str(candidates), "--modality", tables.modality,
            "-o", out, "--force", "--workers", "1", *more]  # fmt: skip


def _rows(verb: str, tables: Tables, rows: int, *more: str) -> list[str]:
    return [verb, str(tables.model), str(tables.molecules(rows)), "-o", str(tables.work / "out.parquet"),
            "--force", *more]  # fmt: skip


# What is measured -> the arguments of cytomol for tables of a length.
COMMANDS: dict[str, Callable[[Tables, int], list[str]]] = {
    "match: queries are profiles (CSV)": lambda t, n: _match(t, t.profiles(n, "csv"), t.molecules(_OTHERS)),
    "match: candidates are profiles (Parquet, row groups of 10,000)": lambda t, n: _match(
        t, t.molecules(_OTHERS), t.profiles(n, "groups.parquet")
    ),
    "match: candidates are profiles (Parquet, one row group)": lambda t, n: _match(
        t, t.molecules(_OTHERS), t.profiles(n, "parquet")
    ),
    "match: queries are molecules": lambda t, n: _match(t, t.molecules(n), t.profiles(_OTHERS, "parquet")),
    "impute": lambda t, n: _rows("impute", t, n, "--modality", t.modality, "--workers", "1"),
    "codes": lambda t, n: _rows("codes", t, n, "--workers", "1"),
    "explain": lambda t, n: _rows("explain", t, n, "--modality", t.modality, "--by", "gradients"),
    "match: candidates are molecules": lambda t, n: _match(t, t.profiles(_OTHERS, "parquet"), t.molecules(n)),
}


def _peak(arguments: list[str]) -> tuple[float, float]:
    """Run cytomol in a process of its own; return its peak memory in MiB and its seconds."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "cytomol", *arguments], stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError(f"cytomol {' '.join(arguments)}: {said}")
    scale = 2**20 if sys.platform == "darwin" else 2**10
    return usage.ru_maxrss / scale, time.perf_counter() - began


def main(args: list[str] | None = None) -> int:
    """Measure what is missing; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="directory of a backbone")
    parser.add_argument("--modality", required=True)
    parser.add_argument("--work", type=Path, required=True, help="where tables and answers are written")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--only", default="", help="measure the commands that begin so")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    given = parser.parse_args(args)
    given.work.mkdir(parents=True, exist_ok=True)
    tables = Tables(given.model, given.modality, given.work)
    rows = pd.read_csv(given.out).to_dict("records") if given.out.exists() else []
    for name, command in COMMANDS.items():
        for length in given.lengths:
            if not name.startswith(given.only) or any(
                (row["command"], row["rows"]) == (name, length) for row in rows
            ):
                continue
            _peak(command(tables, _OTHERS))  # what is compiled at the first call is not counted
            peak, seconds = _peak(command(tables, length))
            rows.append({"command": name, "rows": length, "peak_mib": round(peak), "seconds": round(seconds)})
            print(rows[-1], flush=True)
            given.out.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(given.out, force=True) as temporary:
                pd.DataFrame(rows).to_csv(temporary, index=False, lineterminator="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
