"""The rows that come home: one CSV, written anew after each row, so that nothing is lost."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cytomol.files import atomic_file

__all__ = ["ROWS", "Row", "Table", "number"]

ROWS = "rows.csv"


@dataclass(frozen=True)
class Row:
    """A figure, or why there is none.

    Attributes
    ----------
    stage
        "device", "features", "equality", "speed", "sums" or "pretraining".
    what
        What was looked at.
    method
        "infoalign", "chmr" or "".
    batch
        Molecules of a batch; "" where that says nothing.
    precision
        "float32", "tf32", "bf16" or "".
    mode
        "eager", "compiled" or "".
    value, unit
        The figure; "" if it failed or could not be measured.
    share_of_products
        Time of the matrix products alone by the time of a step.
    share_of_copy
        Time in which the bytes that a step touches would be copied, by the time of a step.
    idle
        Share of a step in which the device does nothing.
    peak_mb
        Most memory of the device that was taken.
    note
        What the reader must know.
    device, torch
        Where it was measured.
    """

    stage: str
    what: str
    method: str = ""
    batch: str = ""
    precision: str = ""
    mode: str = ""
    value: str = ""
    unit: str = ""
    share_of_products: str = ""
    share_of_copy: str = ""
    idle: str = ""
    peak_mb: str = ""
    note: str = ""
    device: str = ""
    torch: str = ""

    @property
    def key(self) -> tuple[str, ...]:
        """Return what tells a row from others."""
        return (self.stage, self.what, self.method, self.batch, self.precision, self.mode, self.device)

    @property
    def failed(self) -> bool:
        """Say whether something went wrong."""
        return self.note.startswith("error: ")


def number(value: float | None, digits: int = 4) -> str:
    """Return a number as a table has it; "" for none."""
    return "" if value is None else f"{value:.{digits}g}"


class Table:
    """The rows of a folder.

    Parameters
    ----------
    folder
        Where ``rows.csv`` lies, or will.
    device, torch
        Written into every row that is added.
    skip_failed
        Rows that failed count as done.
    """

    def __init__(self, folder: Path, *, device: str = "", torch: str = "", skip_failed: bool = False) -> None:
        self.path = folder / ROWS
        self.device = device
        self.torch = torch
        self.skip_failed = skip_failed

    def read(self) -> list[Row]:
        """Return the rows so far."""
        if not self.path.exists():
            return []
        with self.path.open(newline="", encoding="utf-8") as handle:
            return [Row(**line) for line in csv.DictReader(handle)]

    def has(self, row: Row) -> bool:
        """Say whether there is such a row of this device, whatever it says."""
        wanted = (*row.key[:-1], self.device)
        return any(r.key == wanted and (self.skip_failed or not r.failed) for r in self.read())

    def add(self, row: Row) -> None:
        """Write a row; one of the same kind goes."""
        row = Row(**{**asdict(row), "device": self.device, "torch": self.torch})
        rows = [other for other in self.read() if other.key != row.key]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (
            atomic_file(self.path, force=True) as temporary,
            temporary.open("w", newline="", encoding="utf-8") as handle,
        ):
            writer = csv.DictWriter(handle, [f.name for f in fields(Row)], lineterminator="\n")
            writer.writeheader()
            writer.writerows(asdict(other) for other in [*rows, row])
        name = " ".join(part for part in row.key[:-1] if part)
        print(f"{name}: {row.value} {row.unit} {row.note}".strip(), flush=True)
