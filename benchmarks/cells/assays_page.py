"""What measured profiles add to assays: the section of the page of results."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from benchmarks.cells.assays import FEWEST, SOURCES
from benchmarks.cells.page import RESULTS
from numpy.typing import NDArray

__all__ = ["interval", "section"]

_GOOD = 0.7
_CALLED = {
    "structure": "structure alone",
    "profiles": "profile alone",
    "norm": "norm alone",
    "chosen": "best of the three, chosen on validation",
    "rank_mean": "mean rank of structure and profile",
    "joint": "joint kernel",
    "fused": "fused (`--profiles`)",
}
_SETS = {
    "assays111": "111 assays of Cell Painting compounds",
    "chembl2k": "chembl2k, molecules with a profile",
    "broad6k": "broad6k, molecules with a profile",
    "toxcast": "toxcast, molecules with a profile",
}
_DRAWS = 4000


def interval(differences: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return the mean of the assays' differences and its 95% bootstrap interval over assays."""
    drawn = np.random.default_rng(0).integers(0, len(differences), (_DRAWS, len(differences)))
    low, high = np.percentile(differences[drawn].mean(axis=1), [2.5, 97.5])
    return float(differences.mean()), float(low), float(high)


def section() -> str:
    """Return Markdown on what measured profiles add."""
    rows = pd.read_csv(RESULTS / "assays.csv", dtype={"task": str})
    parts = [_HEAD]
    for (name, learner), own in rows.groupby(["set", "learner"], sort=False):
        divisions = own["division"].nunique()
        of_task = own.groupby("task")[[*SOURCES, "labels", "actives"]].mean()
        kind = "" if learner == "kernel" else f", structures by a {learner}"
        times = "one division" if divisions == 1 else f"mean of {divisions} divisions"
        parts.append(f"### {_SETS[str(name)]}{kind} ({len(of_task)} tasks, {times})\n")
        parts += _table(of_task)
    return "\n".join([*parts, _TAIL])


def _table(of_task: pd.DataFrame) -> Iterator[str]:
    poor = of_task[of_task["norm"] < _GOOD]
    yield f"| source | mean AUC | tasks above {_GOOD} | norm-poor: mean AUC of {len(poor)} | above {_GOOD} |"
    yield "|---|---|---|---|---|"
    for source in SOURCES:
        own, few = of_task[source], poor[source]
        cells = [f"{own.mean():.3f}", (own > _GOOD).sum(), f"{few.mean():.3f}", (few > _GOOD).sum()]
        yield f"| {_CALLED[source]} | " + " | ".join(map(str, cells)) + " |"
    yield ""
    for against in ("structure", "profiles", "chosen", "rank_mean"):
        whole = interval((of_task["fused"] - of_task[against]).to_numpy())
        few = interval((poor["fused"] - poor[against]).to_numpy()) if len(poor) else (np.nan,) * 3
        yield f"- fused less {_CALLED[against]}: {_shown(whole)}; norm-poor {_shown(few)}"
    yield ""


def _shown(found: tuple[float, float, float]) -> str:
    return f"{found[0]:+.3f} ({found[1]:+.3f} to {found[2]:+.3f})"


_HEAD = f"""\
`python -m benchmarks.cells.assays --work DIR` writes `benchmarks/results/cells/assays.csv`, a row an assay.
Molecules with a profile alone, for structures too; one a connectivity, stereoisomers that disagree on a label
left out of it; profiles are medians of the connectivity (50 components, Cell Painting of CDRP). Assays have
{FEWEST} molecules or more of each class before that. Five folds of whole scaffolds; each fold's answers are
ranked, then pooled. The learner was drawn up on division 0 of the 111 assays; these are other divisions of
the same molecules. Norm-poor are assays on which the norm alone stays below {_GOOD}. Intervals: 95%, bootstrap
over assays; these share molecules, so that in truth they are wider.

"Structure alone", "profile alone" and "joint" are one Gaussian process over all assays together, with other
terms. "Best of the three" is chosen assay by assay on the fold beside the tested one.
"""

_TAIL = """\
The joint process has variances of each assay, drawn to what the assays have in common, so that it finds by
itself which assays a profile says something of; these rows do not tell its parts from each other. The late
fusion on top adds nothing measurable to it; it is there for learners of structures other than this process.
On norm-poor assays profiles say little by themselves: what is gained there over a source that has to be
chosen first is not shown over structure alone.
"""
