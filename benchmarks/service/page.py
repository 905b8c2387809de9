"""Write benchmarks/results/service.csv into docs/service.md: ``python -m benchmarks.service.page``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from benchmarks.page_section import with_section
from benchmarks.service.__main__ import RESULTS

PAGE = Path(__file__).parents[2] / "docs" / "service.md"
BEGIN, END = "<!-- service: begin -->", "<!-- service: end -->"
_LEARNERS = {"cytomol": "the default recipe", "forest": "`--learner forest`"}
_SERVERS = {"naive": "one request, one call", "service": "`cytomol serve`"}

_REST = [
    "What is left of a request is reading the molecule: nine tenths of a forest's time, most of it RDKit's",
    "descriptors, which no batch makes cheaper; for them there are the other processes, where processors are",
    "free.",
]


def section(table: pd.DataFrame) -> str:
    """Return the section on speed: a row for each model and server, and what one gains over the other."""
    clients = table["clients"].iloc[0]
    lines = [
        "## Under load",
        "",
        f"{clients} clients on loopback, each asking about one molecule, and the next when it is answered,",
        "beside a server as one writes it first: FastAPI, a lock, one call of `Predictor.predict` for each",
        "request. Both predict with intervals and nearest neighbours, from models fitted to",
        "`examples/assay.csv` (`make service`). The committed rows are from two cores that the clients and",
        "a dozen other processes shared: there processor time and the ratio say more than the seconds.",
        "",
        "| model | server | requests/s | p50, s | p99, s | errors | CPU, ms/request | MiB at begin, end |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {_LEARNERS[row['model']]} | {_SERVERS[row['server']]} | {row['per_second']:.1f} "
        f"| {row['p50']:.2f} | {row['p99']:.2f} | {row['errors']} of {row['requests']:,} "
        f"| {1000 * row['cpu_per_request']:.0f} | {row['memory_begin']:.0f}, {row['memory_end']:.0f} |"
        for row in table.to_dict("records")
    ]
    return "\n".join([*lines, "", *gains(table), *_REST, ""])


def gains(table: pd.DataFrame) -> list[str]:
    """Return a sentence for each model that both servers have answered."""
    said = []
    for model, rows in table.groupby("model", sort=False):
        rate = rows.set_index("server")["per_second"]
        if {"naive", "service"} <= set(rate.index):
            times = rate["service"] / rate["naive"]
            said.append(
                f"With {_LEARNERS[str(model)]} the service answers {times:.1f} times as many requests."
            )
    return said


def page(text: str, table: pd.DataFrame) -> str:
    """Return the page with its section made anew."""
    return with_section(text, BEGIN, END, f"\n{section(table)}")


def main() -> None:
    """Write the section."""
    text = page(PAGE.read_text(encoding="utf-8"), pd.read_csv(RESULTS))
    PAGE.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
