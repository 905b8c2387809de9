"""The report on matches: how many queries were answered, how surely, and the first of them drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cytomol.counted import agreeing, counted
from cytomol.report.elements import Card, Cards, Code, Element, Facts, Figure, Heading, Row, Sentence, Table
from cytomol.report.molecule_svg import draw_molecule
from cytomol.report.page import Page, Section
from cytomol.report.palette import colour
from cytomol.report.read_matches import MOST_ROWS, holds_matches, read_matches
from cytomol.report.report_kinds import report_kinds
from cytomol.report.svg_figure import drawn

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["MatchReport", "by_chance"]

_SHOWN_QUERIES, _SHOWN_MATCHES = 5, 6
_ROUNDED = 5e-5  # half of the last digit of a share in percent


@report_kinds.register("table of matches")
class MatchReport:
    """The report on what ``match`` wrote.

    Examples
    --------
    >>> import tempfile
    >>> MatchReport().recognises(Path(tempfile.mkdtemp()))
    False
    """

    def recognises(self, directory: Path) -> bool:
        """Say whether a file is a table of matches."""
        return directory.is_file() and holds_matches(directory)

    def page(self, directory: Path) -> Page:
        """Return the report, a function of the table alone."""
        table = read_matches(directory)
        first = table[table["rank"] == 1]
        queries = table["query_row"].nunique()
        sections = [
            Section("In short", _in_short(table, first, queries)),
            _drawn_section(table),
            _similarity_section(table, first),
            _repeated_section(first),
            _unanswered_section(table),
            Section("How it was run", _run(table)),
        ]
        cut = "the first " if len(table) == MOST_ROWS else ""
        asked = counted(queries, "query", plural="queries")
        subtitle = f"{directory.name}: {cut}{asked}, {_candidates(table)[1]}"
        return Page("Matches", subtitle, [one for one in sections if one is not None])


def by_chance(candidates: int) -> float:
    """Return how many spreads the best of so many random candidates lies above their mean.

    It is the expected largest of so many draws from a normal distribution, by Blom's approximation.

    Examples
    --------
    >>> round(by_chance(1000), 2)
    3.23
    """
    from scipy.stats import norm

    return float(norm.ppf((candidates - 0.375) / (candidates + 0.25)))


def _candidates(table: pd.DataFrame) -> tuple[int, str]:
    """Return how many candidates have a place, by the rounded shares, and how to say it with the noun."""
    found = table[table["top_percent"] > 0]
    if found.empty:
        return 0, "no candidates"
    last = found.sort_values("rank", kind="stable").iloc[-1]
    number = round(100 * last["rank"] / last["top_percent"])
    unsure = number * _ROUNDED / last["top_percent"]
    if unsure < 0.5:
        return number, counted(number, "candidate")
    digits = 10 ** int(np.ceil(np.log10(unsure)))
    return number, f"about {counted(round(number / digits) * digits, 'candidate')}"


def _in_short(table: pd.DataFrame, first: pd.DataFrame, queries: int) -> list[Element]:
    """Return how many queries were answered, and how far the first match stands out."""
    if first.empty:
        return [Sentence(f"None of {queries:,} queries has a place, so nothing was matched.", "said")]
    (candidates, many), top = _candidates(table), int(table["rank"].max())
    answered = agreeing(len(first), "query", "is", "are", plural="queries", of=queries)
    said = f"{answered} answered, each by up to {top} of {many}."
    elements: list[Element] = [Sentence(said, "said")]
    middle, chance = first["spreads"].median(), by_chance(candidates)
    if not np.isnan(middle):
        far = "no farther than" if middle <= chance else f"{middle - chance:.1f} more than"
        similar = f"{first['similarity'].median():.2f} similar (median of cosines)"
        elements.append(
            Sentence(
                f"The first match of a query is {similar} and stands {middle:.1f} spreads above the mean "
                f"candidate: {far} the best of so many would by chance ({chance:.1f}), were similarities "
                "spread normally."
            )
        )
    noted = first[first["note"] != ""] if "note" in first else first.iloc[:0]
    if len(noted):
        elements.append(
            Sentence(
                f"Of {counted(len(noted), 'query', plural='queries')} the order says little: "
                f"{noted['note'].iloc[0]}."
            )
        )
    return elements


def _drawn_section(table: pd.DataFrame) -> Section | None:
    """Return the first queries, each with its best candidates drawn."""
    answered = table[table["rank"].notna()]
    rows = list(dict.fromkeys(answered["query_row"]))[:_SHOWN_QUERIES]
    if not rows:
        return None
    elements: list[Element] = []
    for row in rows:
        part = answered[answered["query_row"] == row].sort_values("rank").head(_SHOWN_MATCHES)
        elements += [Heading(f"Query {int(row)}{_named(part['query_id'].iloc[0])}"), *_matches(part)]
    return Section("The first queries and what goes with them", elements)


def _matches(part: pd.DataFrame) -> list[Element]:
    """Return the matches of a query as cards where they have structures, else as a table."""
    if not part["candidate_smiles"].any():
        rows = [
            [
                f"{one['rank']:.0f}",
                f"{one['candidate_row']:.0f}",
                str(one["candidate_id"]) or "–",
                f"{one['similarity']:.3f}",
                _spreads(one["spreads"]),
                f"{one['top_percent']:.3g}%",
            ]
            for _, one in part.iterrows()
        ]
        head = ["rank", "row", "candidate", "similarity", "spreads", "top"]
        return [Table(head, rows, "Profiles that go with it")]
    cards = []
    asked = str(part["query_smiles"].iloc[0]) if "query_smiles" in part else ""
    if asked:
        cards.append(Card("asked", [(draw_molecule(asked, says="the query"), "")], []))
    for _, one in part.head(_SHOWN_MATCHES - len(cards)).iterrows():
        name = str(one["candidate_id"]) or f"row {one['candidate_row']:.0f}"
        drawing = draw_molecule(str(one["candidate_smiles"]), says=f"candidate {name}")
        lines = [f"similarity {one['similarity']:.3f}, {_spreads(one['spreads'])} spreads"]
        cards.append(Card(f"{one['rank']:.0f}. {name}", [(drawing, "")], lines))
    return [Cards(cards, small=True)]


def _similarity_section(table: pd.DataFrame, first: pd.DataFrame) -> Section | None:
    """Return how similar matches are, and how far they stand out."""
    if first.empty:
        return None
    last = table["rank"].max()
    figures = [
        _histogram(
            "similarity",
            {
                "first": first["similarity"],
                f"rank {last:.0f}": table.loc[table["rank"] == last, "similarity"],
            },
            "similarity (cosine)",
            "How similar the first and the last match of each query are.",
        )
    ]
    spreads = first["spreads"].dropna()
    if len(spreads):
        figures.append(
            _histogram(
                "spreads",
                {"first": spreads},
                "spreads above the mean candidate",
                "How far the first match of each query stands out; dashed: the best of so many by chance.",
                line=by_chance(_candidates(table)[0]),
            )
        )
    return Section("How similar they are", [Row(figures)])


def _histogram(
    name: str, groups: dict[str, pd.Series[float]], label: str, caption: str, *, line: float | None = None
) -> Figure:
    """Draw how often which value occurs, one outline for each group."""
    values = {key: group.dropna().to_numpy(float) for key, group in groups.items()}
    values = {key: found for key, found in values.items() if len(found)}
    together = np.concatenate(list(values.values()))
    bins = np.histogram_bin_edges(together, bins=min(40, max(8, int(len(together) ** 0.5))))

    def draw(axes: Axes) -> None:
        for place, (key, found) in enumerate(values.items()):
            shade = colour(("blue", "vermillion")[place])
            axes.hist(found, bins.tolist(), histtype="step", color=shade, label=key, linewidth=1.6)
        if line is not None:
            axes.axvline(line, color=colour("quiet"), linestyle="--", linewidth=1.2)
        axes.set_xlabel(label)
        axes.set_ylabel("queries")
        if len(values) > 1:
            axes.legend()

    says = "; ".join(
        f"{key}: median {np.median(found):.2f}, from {found.min():.2f} to {found.max():.2f}"
        for key, found in values.items()
    )
    return drawn(
        draw,
        name=f"histogram-{name}",
        title=label,
        says=says,
        caption=caption,
        size=(4.2, 2.8),
        margins=(0.6, 0.5, 0.1, 0.1),
    )


def _repeated_section(first: pd.DataFrame) -> Section | None:
    """Return whether the same few candidates answer everything."""
    if len(first) < 2:
        return None
    counts = first.groupby("candidate_row").agg(queries=("query_row", "size"), name=("candidate_id", "first"))
    counts = counts.sort_values(["queries"], ascending=False, kind="stable")
    come = agreeing(len(counts), "different candidate", "comes", "come")
    said = f"{come} first for {len(first):,} queries."
    elements: list[Element] = [Sentence(said)]
    often = counts[counts["queries"] > 1].head(8)
    if len(often):
        rows = [
            [
                str(one["name"]) or "–",
                f"{row:.0f}",
                f"{one['queries']:,}",
                f"{one['queries'] / len(first):.1%}",
            ]
            for row, one in often.iterrows()
        ]
        elements.append(Table(["candidate", "row", "queries", "share"], rows, "First for most queries"))
        elements.append(
            Sentence("A candidate that goes with everything says little of any one query.", "quiet")
        )
    return Section("Which candidates come first", elements)


def _unanswered_section(table: pd.DataFrame) -> Section | None:
    """Return the queries without a place, by reason."""
    wrong = table[table["error"] != ""]
    if wrong.empty:
        return None
    rows = [
        [str(reason), f"{len(part):,}", ", ".join(f"{row:.0f}" for row in part["query_row"].head(5))]
        for reason, part in sorted(wrong.groupby("error"), key=lambda one: -len(one[1]))[:20]
    ]
    return Section(
        "Queries without an answer", [Table(["reason", "queries", "rows, from 1"], rows, "By reason")]
    )


def _run(table: pd.DataFrame) -> list[Element]:
    """Return the command."""
    top = int(table["rank"].max()) if table["rank"].notna().any() else 10
    facts = [("rows read", f"{len(table):,}{', the first of more' if len(table) == MOST_ROWS else ''}")]
    return [
        Code(f"cytomol match MODEL QUERIES --in CANDIDATES --top {top} -o OUT"),
        Sentence("How well a model finds what is known: cytomol evaluate matching CORPUS MODEL."),
        Facts(facts),
    ]


def _named(text: str) -> str:
    return f": {text}" if text else ""


def _spreads(value: float) -> str:
    return "–" if pd.isna(value) else f"{value:.1f}"
