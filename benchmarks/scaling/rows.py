"""The rows of benchmarks/results/scaling.csv: one for each run that was measured."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

__all__ = ["RESULTS", "Row", "add", "read"]

RESULTS = Path(__file__).resolve().parents[1] / "results" / "scaling.csv"


@dataclass(frozen=True)
class Row:
    """A run, or a step of it.

    Attributes
    ----------
    what
        "embed", "predict head", "predict recipe", "gather, embed" and so on,
        "read csv", "read parquet".
    engine
        "one" process, two "shards" side by side, or "ray": two workers, of which one is killed.
    processes, molecules
        That worked at the same time; that were answered.
    wall, cpu
        Seconds by the clock, and seconds of processor time of all processes together.
    output_bytes
        Of the output.
    identical
        Whether the output is to the byte that of one process; "" where that is not asked.
    load
        Mean number of processes that wanted a core in the minute before.
    machine
        Processor and versions.
    """

    what: str
    engine: str
    processes: int
    molecules: int
    wall: float
    cpu: float
    output_bytes: int
    identical: str
    load: float
    machine: str

    @property
    def key(self) -> tuple[str, str, int]:
        """What a row is found by."""
        return self.what, self.engine, self.molecules


def read(path: Path = RESULTS) -> list[Row]:
    """Return the rows; none where there is no file."""
    if not path.is_file():
        return []
    kinds = {field.name: {"int": int, "float": float}.get(str(field.type), str) for field in fields(Row)}
    with path.open(newline="", encoding="utf-8") as handle:
        return [
            Row(**{name: kinds[name](value) for name, value in one.items()}) for one in csv.DictReader(handle)
        ]


def add(row: Row, path: Path = RESULTS) -> None:
    """Write a row in the place of an older one of the same run, else behind the others."""
    rows = [one for one in read(path) if one.key != row.key] + [row]
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {**asdict(one), "wall": f"{one.wall:.4g}", "cpu": f"{one.cpu:.4g}", "load": f"{one.load:.3g}"}
            for one in rows
        )
