"""The section that puts published figures beside ours of the same kind: those that know as much."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.quality.published import LEFT_IN, PUBLISHED
from benchmarks.quality.rows import GPU, LEAKY, LONG, MINIMOL, TODAY, Rows, label_of
from benchmarks.quality.tables import figure_text, markdown, named, spread

__all__ = ["beside"]

_MODELS = ("cytomol-five", "mlp-embedding", "mlp-embedding-one")
_OURS = {
    "left in": tuple(label_of(model, "leaky") for model in _MODELS),
    "left out": (
        TODAY,
        MINIMOL,
        LONG,
        *(label_of(model, variant) for variant in ("cell", "chmr") for model in _MODELS),
    ),
    "none used": (GPU, label_of("cytomol-five", "structure"), "cytomol-five-plain"),
}
"""What became of the evaluated molecules' cell data in pretraining, and our models of that kind."""


def beside(rows: Rows) -> Iterator[str]:
    """Yield the published figures, each followed by ours that know as much, then by those that know less."""
    sets = [name for name in rows.sets if any(name in figures for figures in PUBLISHED.values())]
    if not sets:
        yield "No rows yet of sets with published figures.\n"
        return
    lines = []
    for kind, labels in _OURS.items():
        for method, figures in PUBLISHED.items():
            own, said = ("left in", "not left out") if method in LEFT_IN else ("none used", "none used")
            if own == kind:
                texts = (figure_text(figures.get(name)) for name in sets)
                lines.append((f"*{method}, published*", said, *texts))
        there = [label for label in labels if label in rows.labels]
        lines += [(label, kind, *(spread(rows.cell_of(name, label)) for name in sets)) for label in there]
    header = ("model", "cell data of evaluated molecules", *(named(rows, name) for name in sets))
    yield from markdown(header, lines)
    yield from _absent(rows, sets)


def _absent(rows: Rows, sets: list[str]) -> Iterator[str]:
    """Say for which sets there are no rows of ours that the published ones compare with."""
    gone = []
    for label in _OURS["left in"]:
        without = [name for name in sets if rows.cell_of(name, label) is None]
        if without:
            gone.append(f"{label} on {', '.join(without)}")
    if gone:
        yield f"Rows with those profiles left in are missing: {'; '.join(gone)}.\n"
    compared = [name for name in sets if any(name in PUBLISHED[method] for method in LEFT_IN)]
    alone = [name for name in compared if rows.cell_of(name, LEAKY) is None]
    if alone:
        yield (
            f"On {', '.join(alone)} the published figures have no counterpart among the rows of the whole "
            "recipe: those that stand there leave profiles out.\n"
        )
