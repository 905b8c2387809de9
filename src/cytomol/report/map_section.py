"""The split as a map: which molecules were learnt from, and which were asked about."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from cytomol.predict.record.record_parts import MapFacts
from cytomol.report.elements import Figure, Sentence
from cytomol.report.page import Section
from cytomol.report.palette import SERIES, colour
from cytomol.report.predictor_facts import NO_RECORD, PredictorFacts
from cytomol.report.svg_figure import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["map_section"]

# fold -> colour, marker, size: told apart without colour too
_LOOKS = {"train": ("line", "o", 3.5), "valid": ("orange", "s", 4.0), "test": ("blue", "^", 5.0)}
_MARKERS = "o^sDvP*X<>"


def map_section(facts: PredictorFacts) -> Section:
    """Draw the molecules on a plane by their fold."""
    title = "The split"
    if facts.record is None:
        return Section(title, [Sentence(NO_RECORD)])
    found = facts.record.map
    if found is None:
        return Section(title, [Sentence("There are too few molecules for a map.")])
    split = facts.config.get("finetune", {}).get("split_type", "")
    how = f"Split by {split}. " if split else ""
    near = "" if found.likeness is None else _near(found.likeness)
    return Section(title, [Sentence(f"{how}{near}"), _figure(found)])


def _near(likeness: float) -> str:
    return (
        f"Half of the tested molecules have a training molecule that is {likeness:.2f} alike or more "
        "(Tanimoto of Morgan fingerprints of radius 2): the scores speak of molecules that are as far away "
        "as these."
    )


def _figure(found: MapFacts) -> Figure:
    folds = list(dict.fromkeys(sorted(found.fold, key=_order)))
    counts = Counter(found.fold)

    def draw(axes: Axes) -> None:
        for number, fold in enumerate(folds):
            name, marker, size = _LOOKS.get(
                fold, (SERIES[number % len(SERIES)], _MARKERS[number % len(_MARKERS)], 4.0)
            )
            rows = [row for row, own in enumerate(found.fold) if own == fold]
            axes.plot(
                [found.x[row] or 0.0 for row in rows],
                [found.y[row] or 0.0 for row in rows],
                marker,
                color=colour(name),
                markeredgecolor=colour("quiet") if fold == "train" else colour(name),
                markeredgewidth=0.4,
                markersize=size,
                alpha=0.85,
                label=f"{fold} ({counts[fold]:,})",
            )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.grid(visible=False)
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))

    shown = sum(counts.values())
    which = "" if shown == found.total else f", {shown:,} of {found.total:,} drawn at random,"
    said = ", ".join(f"{fold} {counts[fold]:,}" for fold in folds)
    return drawn(
        draw,
        name="split-map",
        title="Molecules by likeness and fold",
        says=f"Molecules on a plane: {said}.",
        caption=f"The molecules{which} laid out by t-SNE of their fingerprints: alike ones are near each "
        "other, directions and distances between groups mean nothing. Test molecules away from training "
        "molecules are the harder, and the more honest, test.",
        size=(6.4, 3.9),
    )


def _order(fold: str) -> tuple[int, str]:
    return (list(_LOOKS).index(fold) if fold in _LOOKS else len(_LOOKS), fold)
