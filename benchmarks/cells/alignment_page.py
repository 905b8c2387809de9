"""The section of the page of results on how far training aligns molecules and modalities."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

__all__ = ["section"]

_ROWS = Path(__file__).resolve().parents[1] / "results" / "cells" / "alignment.csv"
_HEAD = """\
Rows: [alignment.csv](../../benchmarks/results/cells/alignment.csv), by
`python -m benchmarks.cells.alignment --work WORK --backbones DIR`, backbones pretrained with seed 0 and
`--exclude-profiles-of held-out-0.csv`. At most 600 molecules are drawn, one a connectivity; candidates are
those of the pair alone, so compare rows of one pair. `CKA` is the debiased linear one, 0 for tables that have
nothing to do with each other; `MMD²` is unbiased, with an RBF kernel of the median distance, 0 for samples of
one distribution. The share that has its own counterpart in the nearest 5% is given in both directions.
Features are fingerprints and scaled profiles; they have no common space. InfoAlign projects no profiles: a
molecule's decoded profile is compared with the measured one, and two modalities have no common space.
"""


def section() -> str:
    """Return the section."""
    rows = pd.read_csv(_ROWS)
    parts = [_HEAD]
    for (corpus, method), part in rows.groupby(["corpus", "method"], sort=False):
        lines = [f"### {corpus}, {method}\n"]
        lines += [
            (
                "| pair | molecules | CKA features | untrained | trained | MMD² untrained | trained "
                "| nearest 5% untrained | trained |"
            ),
            "|---|---|---|---|---|---|---|---|---|",
        ]
        for (word, first, second), pair in part.groupby(["molecules_are", "first", "second"], sort=False):
            by = pair.set_index("stage")
            cells = [f"{first} – {second}", f"{int(by['molecules'].iloc[0])} {word}"]
            cells += [
                _number(by.loc[stage, "cka_debiased"]) for stage in ("features", "untrained", "trained")
            ]
            cells += [_number(by.loc[stage, "mmd2"], 3) for stage in ("untrained", "trained")]
            cells += [
                f"{_share(by.loc[stage, 'top5_first'])} / {_share(by.loc[stage, 'top5_second'])}"
                for stage in ("untrained", "trained")
            ]
            lines.append("| " + " | ".join(cells) + " |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def _number(value: float, digits: int = 2) -> str:
    return "–" if pd.isna(value) else f"{value:.{digits}f}"


def _share(value: float) -> str:
    return "–" if pd.isna(value) else f"{100 * value:.0f}%"
