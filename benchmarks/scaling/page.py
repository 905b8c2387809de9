"""Write what 10^8 and 10^9 molecules take into docs/scaling.md: ``python -m benchmarks.scaling.page``."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.page_section import with_section
from benchmarks.scaling.rows import RESULTS, Row, read

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
BEGIN, END = "<!-- scaling: begin -->", "<!-- scaling: end -->"
PRICE = 0.04
"""US dollars that a core costs for an hour."""
HOURS = 2.0
"""Hours that a shard is to take."""
WHAT = {
    "embed": "`embed default`",
    "predict head": "`predict`, a head on the backbone that comes with cytomol",
    "predict recipe": "`predict`, the default recipe, with intervals and nearest neighbours",
}
SIZES = ((10**8, "10^8", 100), (10**9, "10^9", 1000))
"""Molecules, how they are written, and the cores of the example."""


_SIDE = {"one": "", "shards": ", two shards side by side", "ray": ", two workers of Ray, one of them killed"}
_SAME = {"True": "yes", "False": "**no**", "": ""}


@dataclass(frozen=True)
class Rate:
    """What answering costs, from a run of few and a run of many molecules by one process.

    Attributes
    ----------
    each, start
        Seconds of processor time for a molecule, and for a process before its first answer.
    bytes_each, gather_each
        Of the output, and seconds of gathering, for a molecule.
    """

    each: float
    start: float
    bytes_each: float
    gather_each: float

    @classmethod
    def of(cls, what: str, rows: Sequence[Row]) -> Rate | None:
        """Return the rate of a verb; None where it was not measured."""
        runs = _runs(what, rows)
        if len(runs) < 2:
            return None
        few, many = runs[0], runs[-1]
        each = (many.cpu - few.cpu) / (many.molecules - few.molecules)
        start = max(0.0, few.cpu - each * few.molecules)
        gathered = next((one.cpu / one.molecules for one in rows if one.what == f"gather, {what}"), 0.0)
        return cls(each, start, many.output_bytes / many.molecules, gathered)

    def shards(self, molecules: int, cores: int) -> int:
        """Return how many shards take the hours that a shard is to take; no core is to be without one."""
        return max(cores, round(molecules * self.each / 3600 / HOURS))

    def core_hours(self, molecules: int, cores: int, opening: float) -> float:
        """Return the hours of all shards together; each opens the input once, in so many seconds."""
        return (molecules * self.each + self.shards(molecules, cores) * (self.start + opening)) / 3600


def _runs(what: str, rows: Sequence[Row]) -> list[Row]:
    """Return the runs of a verb by one process, that of the fewest molecules first."""
    one = [row for row in rows if (row.what, row.engine) == (what, "one")]
    return sorted(one, key=lambda row: row.molecules)


def opening(rows: Sequence[Row], kind: str, molecules: int) -> float:
    """Return the seconds in which a table of so many rows is opened and its records counted."""
    row = next(one for one in rows if one.what == f"read {kind}")
    return row.cpu * molecules / row.molecules


def section(rows: Sequence[Row], price: float = PRICE) -> str:
    """Return the measured rows, and what follows from them for the sizes asked about."""
    rates = {what: rate for what in WHAT if (rate := Rate.of(what, rows)) is not None}
    lines = [
        "### Measured",
        "",
        "| what | molecules | processes | core seconds | core ms a molecule | seconds | load | same bytes |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    lines += [_measured(row) for row in rows]
    lines += ["", *_from_two(rows, rates), ""]
    for molecules, written, cores in SIZES:
        lines += [
            f"### {written} molecules, extrapolated",
            "",
            f"| what | shards | core hours | at {price:g} each | on {cores:,} cores | gathering | output |",
            "|---|---:|---:|---:|---:|---:|---:|",
        ]
        for what, rate in rates.items():
            hours = rate.core_hours(molecules, cores, opening(rows, "parquet", molecules))
            lines.append(
                f"| {WHAT[what]} | {rate.shards(molecules, cores):,} | {hours:,.0f} | {hours * price:,.0f} "
                f"| {hours / cores:,.1f} h | {rate.gather_each * molecules / 3600:,.1f} h "
                f"| {rate.bytes_each * molecules / 1e9:,.0f} GB |"
            )
        more = _csv(rates, rows, molecules, cores)
        lines += ["", f"The input is Parquet. A CSV is read by every shard from its beginning: {more}.", ""]
    machines = sorted({row.machine for row in rows})
    return "\n".join([*lines, "Measured on: " + " | ".join(machines), ""])


def _measured(row: Row) -> str:
    cpu = "–" if math.isnan(row.cpu) else f"{row.cpu:.3g}"
    each = "–" if math.isnan(row.cpu) else f"{1000 * row.cpu / row.molecules:.3g}"
    return (
        f"| {row.what}{_SIDE[row.engine]} | {row.molecules:,} | {row.processes} | {cpu} | {each} "
        f"| {row.wall:.3g} | {row.load:.0f} | {_SAME[row.identical]} |"
    )


def _from_two(rows: Sequence[Row], rates: dict[str, Rate]) -> list[str]:
    """Say what a second process costs, and what one costs before its first answer."""
    said = []
    for what, rate in rates.items():
        many = _runs(what, rows)[-1]
        two = next((one for one in rows if (one.what, one.engine) == (what, "shards")), None)
        if two is not None:
            times = two.cpu / (many.cpu + rate.start)
            said.append(
                f"- {WHAT[what]}: {1000 * rate.each:.2f} core ms a molecule, {rate.start:.0f} core seconds "
                f"before the first; two shards side by side took {times:.2f} times the core seconds of one "
                "process and a second start."
            )
    return said


def _csv(rates: dict[str, Rate], rows: Sequence[Row], molecules: int, cores: int) -> str:
    told = []
    for what, rate in rates.items():
        lean = rate.core_hours(molecules, cores, opening(rows, "parquet", molecules))
        # Once to count its records, and on average half again to reach the shard.
        more = rate.core_hours(molecules, cores, 1.5 * opening(rows, "csv", molecules)) / lean
        told.append(f"{more:.2f} times the core hours for {what}")
    return ", ".join(told)


def page(text: str, rows: Sequence[Row], price: float = PRICE) -> str:
    """Return the page with its section made anew."""
    return with_section(text, BEGIN, END, f"\n\n{section(rows, price)}\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the section."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling.page", description=__doc__)
    parser.add_argument("--price", type=float, default=PRICE, help=f"of a core for an hour ({PRICE:g})")
    parser.add_argument("--rows", type=Path, default=RESULTS)
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    text = page(options.page.read_text(encoding="utf-8"), read(options.rows), options.price)
    options.page.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
