"""How the loss of a backbone fell, term by term."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cytomol.report.elements import Element, Figure, Fold, Heading, Row, Sentence, Table
from cytomol.report.page import Section
from cytomol.report.palette import SERIES, colour
from cytomol.report.svg_figure import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["curves_section"]

_MOST_ROWS = 200
_MARKED = 30  # epochs up to which each is marked by a dot
_MARGINS = (0.55, 0.45, 0.1, 0.25)  # of the curves, in inches
_SIDES = (("train", "train", "blue", "-"), ("valid", "held out", "vermillion", "--"))


def curves_section(history: Sequence[Mapping[str, Any]]) -> Section | None:
    """Return the curves of all terms; None before the first epoch.

    Parameters
    ----------
    history
        A table for each epoch: ``epoch``, ``lr``, and by term ``train`` and ``valid``.

    Examples
    --------
    >>> curves_section([]) is None
    True
    """
    if not history:
        return None
    names = list(dict.fromkeys(name for entry in history for name in entry["train"]))
    terms = [name for name in names if name != "loss" and not name.startswith("perplexity/")]
    elements: list[Element] = [
        _figure(history, "loss", 0, size=(5.4, 2.8)),
        Sentence(
            "Terms that contrast rows of a batch grow with its size, and held-out batches may be smaller: "
            "compare each curve with itself over time, not one side with the other.",
            "quiet",
        ),
    ]
    if terms:
        elements += [
            Heading("By term"),
            Row(
                [
                    _figure(history, name, number, size=(4.2, 2.2))
                    for number, name in enumerate(terms, start=1)
                ]
            ),
        ]
    if figure := _perplexities(history, [name for name in names if name.startswith("perplexity/")]):
        elements += [Heading("Codes in use"), figure]
    elements.append(Fold("Every epoch as numbers", [_numbers(history, names)]))
    return Section("How the loss fell", elements)


def spoken(term: str) -> str:
    """Return a term as one says it.

    Examples
    --------
    >>> spoken("reconstruction/morphology"), spoken("instance_alignment")
    ('reconstruction of morphology', 'instance alignment')
    """
    return term.replace("_", " ").replace("/", " of ")


def _figure(
    history: Sequence[Mapping[str, Any]], name: str, number: int, *, size: tuple[float, float]
) -> Figure:
    """Draw a term on both sides over the epochs."""
    sides = [(*side, _curve(history, side[0], name)) for side in _SIDES]
    sides = [side for side in sides if side[-1][0]]

    def draw(axes: Axes) -> None:
        for _, label, shade, line, (epochs, values) in sides:
            dots = "o" if len(epochs) <= _MARKED else ""
            axes.plot(epochs, values, line, marker=dots, color=colour(shade), label=label, markersize=3)
        axes.set_title(spoken(name))
        axes.locator_params(axis="y", nbins=5)
        _whole_epochs(axes, len(history))
        if len(sides) > 1 and name == "loss":
            axes.legend()

    says = "; ".join(
        f"{label}: {values[0]:.4g} in epoch {epochs[0]}, {values[-1]:.4g} in epoch {epochs[-1]}"
        for _, label, _, _, (epochs, values) in sides
    )
    caption = "The loss: what all terms sum up to, with their weights." if name == "loss" else ""
    return drawn(
        draw,
        name=f"curve-{number}",
        title=f"{spoken(name)} by epoch",
        says=says,
        caption=caption,
        size=size,
        margins=_MARGINS,
    )


def _curve(history: Sequence[Mapping[str, Any]], side: str, name: str) -> tuple[list[int], list[float]]:
    """Return the epochs in which a term was computed, and its means."""
    found = [(entry["epoch"], entry[side][name]) for entry in history if name in entry[side]]
    return [epoch for epoch, _ in found], [value for _, value in found]


def _perplexities(history: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Figure | None:
    """Draw how many codes of each level a batch uses, as perplexities."""
    if not names:
        return None
    ends = {name: _curve(history, "train", name)[1][-1] for name in names}

    def draw(axes: Axes) -> None:
        for place, name in enumerate(names):
            epochs, values = _curve(history, "train", name)
            shade = colour(SERIES[place % len(SERIES)])
            axes.plot(epochs, values, color=shade)
            axes.annotate(
                f"level {name.partition('/')[2]}",
                (epochs[-1], values[-1]),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                fontsize=8.5,
            )
        axes.set_yscale("log", base=2)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.set_title("perplexity in a batch")
        _whole_epochs(axes, len(history))

    said = "; ".join(f"level {name.partition('/')[2]}: {value:.1f}" for name, value in ends.items())
    return drawn(
        draw,
        name="curve-perplexities",
        title="Perplexity of each level of the tree by epoch",
        says=f"In the last epoch {said}.",
        caption="How many codes of each level the rows of a batch use, as if equally often (train). A level "
        "that falls to 1 has collapsed.",
        size=(5.4, 3.0),
        margins=(0.55, 0.45, 0.6, 0.25),
    )


def _whole_epochs(axes: Axes, epochs: int) -> None:
    """Label whole epochs alone."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.set_xlabel("epoch")
    axes.margins(x=0.06 if epochs > 1 else 0.5)


def _numbers(history: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Table:
    """Return every epoch, or as many as a page bears."""
    step = -(-len(history) // _MOST_ROWS)
    shown = [entry for entry in history if (entry["epoch"] - 1) % step == 0 or entry is history[-1]]
    head = ["epoch", "learning rate"]
    for name in names:
        head += [spoken(name), f"{spoken(name)}, held out"]
    rows = []
    for entry in shown:
        cells = [str(entry["epoch"]), f"{entry['lr']:.3g}"]
        for name in names:
            cells += [
                f"{entry[side][name]:.4g}" if name in entry[side] else "" for side in ("train", "valid")
            ]
        rows.append(cells)
    which = "Every epoch" if step == 1 else f"Every {step}th epoch"
    return Table(head, rows, f"{which}: means over the molecules learnt from, and over those held out")
