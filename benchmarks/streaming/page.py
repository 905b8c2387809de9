"""Write benchmarks/results/streaming.csv into docs/guide.md: ``python -m benchmarks.streaming.page``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
from benchmarks.page_section import with_section
from benchmarks.streaming.__main__ import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "guide.md"
BEGIN, END = "<!-- streaming: begin -->", "<!-- streaming: end -->"
_MODELS = {"neighbours": "nearest neighbours on fingerprints"}
_HEADS = [
    "verb",
    "model",
    "molecules",
    "in a part",
    "most memory, MB",
    "seconds",
    "output, MB",
    "parts finished at the kill",
    "answered again",
    "lost, s of a part's",
    "same output",
]


def section(table: pd.DataFrame) -> str:
    """Return the sentences and the table: a row for each verb and number of molecules."""
    largest = table.sort_values("rows").iloc[-1]
    same = "the same to the last byte" if largest["identical"] else "NOT the same"
    told = (
        f"{largest['rows']:,} molecules were answered by `{largest['verb']}` with at most"
        f" {largest['peak_mb_tree']:,} MB resident in all processes together{_flat(table, largest)}; a run of"
        f" the same command was killed after {largest['finished_at_kill']} of {largest['chunks']} parts and"
        f" went on with `--resume`: {_parts(largest['repeated_chunks'])} answered again, at most the one at"
        f" work was lost, and the output is {same}. [The rows](../benchmarks/results/streaming.csv) are made"
        " by `make streaming`, on two cores that other work shared: memory says more than seconds. Models are"
        " small and molecules planted."
    )
    text = textwrap.fill(told, 120, break_long_words=False, break_on_hyphens=False)
    return "\n".join([text, "", _line(_HEADS), _line(["---"] * len(_HEADS)), *_rows(table), ""])


def _flat(table: pd.DataFrame, largest: pd.Series[Any]) -> str:
    """Say what fewer molecules take in parts of the same size; "" where none were measured."""
    same = (table["verb"] == largest["verb"]) & (table["chunk_rows"] == largest["chunk_rows"])
    fewer = table[same & (table["rows"] < largest["rows"])].sort_values("rows")
    if fewer.empty:
        return ""
    other = fewer.iloc[-1]
    return f" ({other['rows']:,} took {other['peak_mb_tree']:,})"


def _rows(table: pd.DataFrame) -> list[str]:
    return [
        _line(
            [
                f"`{row['verb']}`",
                _MODELS.get(row["model"], f"`{row['model']}`"),
                f"{row['rows']:,}",
                f"{row['chunk_rows']:,}",
                f"{row['peak_mb_tree']:,}",
                f"{row['seconds']:,.0f}",
                f"{row['output_mb']:,.0f}",
                f"{row['finished_at_kill']} of {row['chunks']}",
                row["repeated_chunks"],
                f"{row['lost_seconds']:.0f} of {row['chunk_seconds']:.0f}",
                "yes" if row["identical"] else "no",
            ]
        )
        for row in table.to_dict("records")
    ]


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _parts(count: int) -> str:
    return "no finished part was" if count == 0 else f"{count} finished parts were"


def page(text: str, table: pd.DataFrame) -> str:
    """Return the page with its section made anew."""
    return with_section(text, BEGIN, END, f"\n{section(table)}")


def main() -> None:
    """Write the section."""
    text = page(PAGE.read_text(encoding="utf-8"), pd.read_csv(RESULTS))
    PAGE.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
