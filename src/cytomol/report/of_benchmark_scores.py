"""The scores of a benchmark, set by set, with intervals and beside what others have published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cytomol.assays.metrics import metrics
from cytomol.evaluate.published_figures import LEFT_IN, PUBLISHED_FIGURES, SOURCES, as_score
from cytomol.evaluate.significance import bootstrap_interval
from cytomol.evaluate.summary import Summary
from cytomol.report.elements import Element, Figure, Row, Sentence, Table
from cytomol.report.page import Section
from cytomol.report.palette import colour
from cytomol.report.svg_figure import drawn
from cytomol.report.wording import shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Board", "beside_section", "scores_section"]

_DRAWS = 2000


@dataclass(frozen=True)
class Board:
    """Scores of models on sets.

    Attributes
    ----------
    table, pairs
        As of :class:`~cytomol.evaluate.summary.Summary`.
    intervals
        95% interval of each set's and model's mean over tasks and seeds; NaN where there are too few.
    fold
        What was scored.
    """

    table: pd.DataFrame
    pairs: pd.DataFrame
    intervals: Mapping[tuple[str, str], tuple[float, float]]
    fold: str

    @classmethod
    def of(cls, rows: pd.DataFrame, summary: Summary) -> Board:
        """Return the board of a benchmark's rows and their summary."""
        scored = rows[rows["fold"] == summary.fold]
        variant = scored["variant"].map(lambda text: f" ({text})" if text else "")
        scored = scored.assign(model=scored["model"] + variant)
        intervals = {}
        for (name, model), part in scored.groupby(["set", "model"], sort=False):
            grid = part.pivot_table(index="task", columns="seed", values="score").to_numpy(np.float64)
            low, high = (np.nan, np.nan) if not grid.size else bootstrap_interval(grid, draws=_DRAWS)
            intervals[str(name), str(model)] = (low, high)
        return cls(summary.table, summary.pairs, intervals, summary.fold)

    @property
    def sets(self) -> list[str]:
        """The sets, in the order of the rows."""
        return [str(name) for name in self.table["set"].unique()]

    @property
    def models(self) -> list[str]:
        """The models, those of the better mean rank first."""
        order = {name: place for name in self.sets for place, name in enumerate(self.ranked(name))}
        places: dict[str, list[int]] = {name: [] for name in order}
        for one in self.sets:
            for place, name in enumerate(self.ranked(one)):
                places[name].append(place)
        return sorted(places, key=lambda name: (float(np.mean(places[name])), name))

    def ranked(self, name: str) -> list[str]:
        """Return the models of a set, the best mean first."""
        return [str(model) for model in self.table.loc[self.table["set"] == name, "model"]]

    def metric(self, name: str) -> str:
        """Return the metric of a set."""
        return str(self.table.loc[self.table["set"] == name, "metric"].iloc[0])

    def higher(self, name: str) -> bool:
        """Say whether higher is better on a set."""
        return metrics[self.metric(name)].higher_is_better

    def mean(self, name: str, model: str) -> float:
        """Return a model's mean on a set; NaN where it was not scored."""
        found = self.table.loc[(self.table["set"] == name) & (self.table["model"] == model), "mean"]
        return float(found.iloc[0]) if len(found) else float("nan")

    def text(self, name: str, model: str) -> str:
        """Return a mean with its interval, or with the deviation over seeds where there is none."""
        mean = self.mean(name, model)
        if np.isnan(mean):
            return "–"
        low, high = self.intervals[name, model]
        if not np.isnan(low):
            return f"{mean:.3f} ({low:.3f} to {high:.3f})"
        return f"{mean:.3f}"

    def ahead(self, name: str, first: str, second: str) -> int:
        """Return 1 where the first model is surely ahead on a set, -1 where it is behind, else 0."""
        pairs = self.pairs[self.pairs["set"] == name]
        for sign, (better, worse) in ((1, (first, second)), (-1, (second, first))):
            found = pairs[(pairs["better"] == better) & (pairs["worse"] == worse)]
            if len(found):
                return sign if float(found["low"].iloc[0]) > 0 else 0
        return 0

    def ahead_of_all(self, name: str) -> bool:
        """Say whether the best model of a set is surely ahead of every other."""
        best, *others = self.ranked(name)
        return bool(others) and all(self.ahead(name, best, other) == 1 for other in others)

    def tally(self, first: str, second: str) -> str:
        """Return on how many sets the first is ahead of, level with and behind the second."""
        both = [name for name in self.sets if {first, second} <= set(self.ranked(name))]
        found = [self.ahead(name, first, second) for name in both]
        return " / ".join(str(found.count(sign)) for sign in (1, 0, -1))


def scores_section(board: Board) -> Section:
    """Return the table of models by set, and a figure for each set."""
    head = ["model", *(f"{name}, {_shown(board.metric(name))}" for name in board.sets)]
    rows = [[model, *(board.text(name, model) for name in board.sets)] for model in board.models]
    said = (
        "Means over the tasks of a set and over seeds, with the 95% interval that comes of drawing tasks and "
        "seeds again. It speaks of these tasks and of chance in training, not of other molecules; where "
        "neither tasks nor seeds number five there is none."
    )
    figures = [_figure(board, name, number) for number, name in enumerate(board.sets)]
    best = [f"{name}: {board.ranked(name)[0]}" for name in board.sets]
    return Section(
        "Scores",
        [
            Sentence(said),
            Table(head, rows, f"Scores on the {board.fold} fold; best mean on {'; '.join(best)}"),
            Row(figures),
        ],
    )


def beside_section(board: Board) -> Section | None:
    """Return what others have published on these sets; None where nothing is known."""
    sets = [name for name in board.sets if any(name in known for known in PUBLISHED_FIGURES.values())]
    if not sets or board.fold != "test":
        return None
    rows = []
    for method, known in PUBLISHED_FIGURES.items():
        cells = []
        for name in sets:
            figure = as_score(known[name]) if name in known else None
            deviation = "" if figure is None or figure.std is None else f" (± {figure.std:.3f})"
            cells.append("–" if figure is None else f"{figure.mean:.3f}{deviation}")
        if set(cells) != {"–"}:
            rows.append([method, *cells])
    ours = ["best here", *(f"{board.mean(name, board.ranked(name)[0]):.3f}" for name in sets)]
    elements: list[Element] = [
        Sentence(
            f"Published means and deviations over seeds, {SOURCES} {' and '.join(sorted(LEFT_IN))} leave no "
            "evaluated molecule's cell data out of pretraining; the best here is chosen on the test fold, "
            "set by set, which favours it. Sets are taken for those of the same name."
        ),
        Table(["model", *sets], [*rows, ours], "Published figures beside the best of this benchmark"),
    ]
    return Section("Beside published figures", elements)


def _figure(board: Board, name: str, number: int) -> Figure:
    """Draw the models of a set with their intervals, the best on top, and published means as lines."""
    order = board.ranked(name)[::-1]
    published = {
        method: as_score(known[name]).mean
        for method, known in PUBLISHED_FIGURES.items()
        if name in known and board.fold == "test"
    }
    best = (max if board.higher(name) else min)(published.items(), key=lambda one: one[1], default=None)

    def draw(axes: Axes) -> None:
        for place, model in enumerate(order):
            mean, (low, high) = board.mean(name, model), board.intervals[name, model]
            if not np.isnan(low):
                axes.plot([low, high], [place, place], color=colour("blue"), linewidth=1.6)
            axes.plot([mean], [place], "o", color=colour("blue"), markersize=5)
        if best is not None:
            axes.axvline(best[1], color=colour("orange"), linestyle="--", linewidth=1.2)
        axes.set_yticks(range(len(order)), [shortened(model, 24) for model in order])
        axes.set_ylim(-0.6, len(order) - 0.4)
        axes.grid(axis="y", visible=False)
        axes.locator_params(axis="x", nbins=5)
        better = "higher" if board.higher(name) else "lower"
        axes.set_xlabel(f"{_shown(board.metric(name))}, {better} is better")
        axes.set_title(shortened(name, 40))

    says = "; ".join(f"{model}: {board.text(name, model)}" for model in order[::-1])
    caption = f"{name}: dots are means, bars 95% intervals"
    if best is not None:
        caption += f"; the dashed line is the best published mean ({best[0]}, {best[1]:.3f})"
    return drawn(
        draw,
        name=f"scores-{number}",
        title=f"Scores of {len(order)} models on {name}",
        says=says,
        caption=f"{caption}.",
        size=(4.3, 0.85 + 0.26 * len(order)),
    )


def _shown(metric: str) -> str:
    return {"roc_auc": "ROC-AUC", "mae": "MAE", "rmse": "RMSE", "r2": "R²"}.get(metric, metric)
