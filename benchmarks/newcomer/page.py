"""What docs/benchmarks/newcomer.md says of the rows; the pages of benchmarks.quality hold it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from benchmarks.newcomer.experiment import DEFAULT, MOLECULES, PEER

__all__ = ["lines"]

_CALLED = {
    DEFAULT: "`cytomol finetune`, default",
    "constant": "the median of the training labels",
    "neighbours": "nearest neighbour",
    "forest": "random forest, 200 trees",
    PEER: "chemprop 2, its defaults",
}
_ABOUT = f"""\
A chemist has {MOLECULES} molecules of one assay, no backbone, and leaves every option as it is. The assay is
clearance by human liver microsomes (biogenadme, first task, logarithm). The molecules are drawn at random
from all of its folds, five times, and each draw is split by scaffold as `cytomol finetune` does by default:
80% train, 10% valid, 10% test. Scores are of the test fold, by models that have not seen it; the refit on all
rows, which comes after, changes no score. All learn from the same molecules.
"""
_READ = """\
Mean absolute error in the unit of the assay, lower is better; mean ± standard deviation over draws. The
difference is another model's error less that of the default, draw by draw: above 0 the default is better. A
test fold has some thirty molecules, so one draw says little; five draws say which way it leans.
"""
_CROSSED = """\
The same for draw 0 with every molecule tested once: five folds of whole scaffolds (`--folds 5`), one of the
others valid.
"""
_ABSENT = f"""\
{PEER} has no rows here: it is another program, which was not installed where these rows were made (`python -m
benchmarks.newcomer` says how to add it, and measures what is missing).
"""


def lines(rows: pd.DataFrame) -> Iterator[str]:
    """Yield the page's paragraphs and tables."""
    yield from (_ABOUT, _READ)
    yield from _table(rows[rows["validation"] == "one split"])
    yield from _words(rows[rows["validation"] == "one split"])
    crossed = rows[rows["validation"] == "5 folds"]
    if len(crossed):
        yield from ("## Every molecule tested\n", _CROSSED, *_table(crossed), *_words(crossed))
    if PEER not in set(rows["model"]):
        yield _ABSENT


def _table(rows: pd.DataFrame) -> Iterator[str]:
    """Yield a line for each model: error, and by what the default is better."""
    errors = rows.pivot_table(index="draw", columns="model", values="mae")
    yield "| | MAE | draws | default better by | in draws |"
    yield "|---|---:|---:|---:|---:|"
    for model in [name for name in _CALLED if name in errors]:
        own = errors[model].dropna()
        by = (own - errors[DEFAULT]).dropna()
        apart = (
            ("–", "–") if model == DEFAULT else (_spread(by, "+.3f"), f"{int((by > 0).sum())} of {len(by)}")
        )
        yield f"| {_CALLED[model]} | {_spread(own, '.3f')} | {len(own)} | {apart[0]} | {apart[1]} |"
    yield ""


def _spread(values: Sequence[float] | pd.Series[float], form: str) -> str:
    """Return mean and standard deviation; the mean alone of one value."""
    mean = f"{np.mean(values):{form}}"
    return f"{mean} ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else mean


def _words(rows: pd.DataFrame) -> Iterator[str]:
    """Say what the default said of itself, and how long it took."""
    own = rows[rows["model"] == DEFAULT]
    counts = own["verdict"].value_counts(sort=False)
    said = ", ".join(f'"{word}" ({count})' for word, count in counts.items())
    times = [f"{own['seconds'].min():.0f} seconds a draw with what stands beside it"]
    if len(other := rows[rows["model"] == PEER]):
        times.append(f"{PEER} {other['seconds'].min():.0f}")
    yield (
        f"Its verdict on itself, in brackets the number of draws: {said}. It took {'; '.join(times)} (the "
        "least over draws, on one thread; other work shared the machine).\n"
    )
