"""What others have published on the benchmark sets; ROC-AUC in %, mean absolute errors times 100."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["LEFT_IN", "PUBLISHED_FIGURES", "SOURCES", "Figure", "as_score"]


class Figure(NamedTuple):
    """A published mean over seeds, with its standard deviation where it is stated."""

    mean: float
    std: float | None = None


PUBLISHED_FIGURES: dict[str, dict[str, Figure]] = {
    "MLP on Morgan": {
        "chembl2k": Figure(76.8, 2.2),
        "toxcast": Figure(57.6, 1.0),
        "broad6k": Figure(63.3, 0.3),
        "biogenadme": Figure(66.2, 2.4),
    },
    "random forest on Morgan": {
        "chembl2k": Figure(54.7, 0.7),
        "toxcast": Figure(52.3, 0.1),
        "broad6k": Figure(55.5, 0.1),
        "biogenadme": Figure(52.8, 0.2),
    },
    "Uni-Mol": {
        "chembl2k": Figure(76.8, 0.4),
        "toxcast": Figure(64.6, 0.2),
        "broad6k": Figure(65.4, 0.1),
        "biogenadme": Figure(55.8, 2.8),
    },
    "InfoAlign": {
        "chembl2k": Figure(81.3, 0.6),
        "toxcast": Figure(66.4, 1.1),
        "broad6k": Figure(70.0, 0.1),
        "biogenadme": Figure(49.4, 0.2),
    },
    "CHMR": {
        "chembl2k": Figure(84.7, 0.2),
        "toxcast": Figure(69.3, 0.3),
        "broad6k": Figure(71.4, 0.2),
        "biogenadme": Figure(40.9, 0.3),
    },
    "OGB leaderboard, about": {"hiv": Figure(84.2)},
}
"""By method and set. CHMR's figures on bbbp, bace, clintox, sider and hiv, which only the first version of
its paper has, are not here."""

LEFT_IN = frozenset({"InfoAlign", "CHMR"})
"""Methods whose authors leave no evaluated molecule out of pretraining; the others read no cell data."""

SOURCES = (
    "as the papers on InfoAlign (ICLR 2025, arXiv 2406.12056) and CHMR (AAAI 2026, arXiv 2511.21120) "
    "tabulate them, those of Uni-Mol (ICLR 2023) and of the two models on Morgan fingerprints too."
)


def as_score(figure: Figure) -> Figure:
    """Return a figure on the scale of this package's scores: ROC-AUC from 0 to 1, errors as they are.

    Examples
    --------
    >>> as_score(Figure(84.7, 0.2))
    Figure(mean=0.847, std=0.002)
    """
    std = None if figure.std is None else round(figure.std / 100, 6)
    return Figure(round(figure.mean / 100, 6), std)
