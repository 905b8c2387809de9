"""What a report's section is made of: sentences, tables, figures, cards; each writes itself as HTML.

Names of columns and molecules come from strangers, so every text is escaped where it is written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = [
    "Card",
    "Cards",
    "Code",
    "Element",
    "Facts",
    "Figure",
    "Fold",
    "Heading",
    "Items",
    "Row",
    "Sentence",
    "Table",
    "escaped",
]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_NUMBER = re.compile(r"[-+−<>≤≥]?\d[\d.,]*(e[-+]?\d+)?\s?%?( \(.*\))?|[-–]")

_SHORT, _LONG = 14, 24  # letters of a cell that is not broken, and of one that has some width


class Element(Protocol):
    """A part of a section."""

    def html(self) -> str:
        """Return the part as HTML that needs no other file."""
        ...


def escaped(text: str) -> str:
    """Return a text as HTML, without letters that no page may hold.

    Examples
    --------
    >>> escaped("<b> & co")
    '&lt;b&gt; &amp; co'
    """
    return html.escape(_CONTROL.sub("�", text))


@dataclass(frozen=True)
class Sentence:
    """A paragraph of plain words.

    Attributes
    ----------
    text
        What is said.
    tone
        "" as usual, "said" for the one sentence that matters, "quiet" for a remark.

    Examples
    --------
    >>> Sentence("1 < 2").html()
    '<p>1 &lt; 2</p>'
    """

    text: str
    tone: str = ""

    def html(self) -> str:
        """Return a paragraph."""
        return (
            f'<p class="{self.tone}">{escaped(self.text)}</p>'
            if self.tone
            else f"<p>{escaped(self.text)}</p>"
        )


@dataclass(frozen=True)
class Heading:
    """A heading inside a section.

    Examples
    --------
    >>> Heading("By task").html()
    '<h3>By task</h3>'
    """

    text: str

    def html(self) -> str:
        """Return a heading of the third level."""
        return f"<h3>{escaped(self.text)}</h3>"


@dataclass(frozen=True)
class Items:
    """A list of short sentences.

    Examples
    --------
    >>> Items(["one", "two"]).html()
    '<ul><li>one</li><li>two</li></ul>'
    """

    texts: Sequence[str]

    def html(self) -> str:
        """Return a list; nothing for no texts."""
        return f"<ul>{''.join(f'<li>{escaped(text)}</li>' for text in self.texts)}</ul>" if self.texts else ""


@dataclass(frozen=True)
class Facts:
    """Names and what they are, in two columns.

    Examples
    --------
    >>> Facts([("rows", "424")]).html()
    '<dl><dt>rows</dt><dd>424</dd></dl>'
    """

    pairs: Sequence[tuple[str, str]]

    def html(self) -> str:
        """Return a list of descriptions; nothing for no pairs."""
        rows = "".join(f"<dt>{escaped(name)}</dt><dd>{escaped(what)}</dd>" for name, what in self.pairs)
        return f"<dl>{rows}</dl>" if rows else ""


@dataclass(frozen=True)
class Table:
    """A table whose first column names its rows; columns of numbers stand to the right.

    Attributes
    ----------
    head
        Names of the columns.
    rows
        Cells as text, one list a row.
    caption
        What the table shows; a screen reader reads it first.

    Examples
    --------
    >>> Table(["task", "mae"], [["a", "0.34"]], "Scores").html().count("<th")
    4
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str

    def html(self) -> str:
        """Return a table that scrolls sideways where it is too wide."""
        numeric = [
            any(row[column] for row in self.rows)
            and all(not row[column] or _NUMBER.fullmatch(row[column]) for row in self.rows)
            for column in range(len(self.head))
        ]
        style = [' class="number"' if right else "" for right in numeric]
        head = "".join(
            f'<th scope="col"{own}>{escaped(name)}</th>' for name, own in zip(self.head, style, strict=True)
        )
        body = "".join(
            f'<tr><th scope="row"{style[0]}>{escaped(row[0])}</th>'
            + "".join(_cell(cell, own) for cell, own in zip(row[1:], style[1:], strict=True))
            + "</tr>"
            for row in self.rows
        )
        label = escaped(self.caption)
        return (
            f'<div class="wide" role="region" tabindex="0" aria-label="{label}"><table><caption>{label}'
            f"</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )


def _cell(text: str, style: str) -> str:
    """Return a cell; the interval behind a number stands below it, and a short text in one line."""
    if style and text.endswith(")") and " (" in text:
        number, _, interval = text[:-1].partition(" (")
        return f"<td{style}>{escaped(number)} <small>({escaped(interval)})</small></td>"
    style = style or (
        ' class="short"' if len(text) <= _SHORT else ' class="long"' if len(text) > _LONG else ""
    )
    return f"<td{style}>{escaped(text)}</td>"


@dataclass(frozen=True)
class Figure:
    """A drawing with its caption.

    Attributes
    ----------
    svg
        With a title and a description of its own (see :func:`~cytomol.report.svg_figure.drawn`).
    caption
        What is seen in it.

    Examples
    --------
    >>> Figure("<svg></svg>", "Nothing").html()
    '<figure><svg></svg><figcaption>Nothing</figcaption></figure>'
    """

    svg: str
    caption: str

    def html(self) -> str:
        """Return the figure."""
        return f"<figure>{self.svg}<figcaption>{escaped(self.caption)}</figcaption></figure>"


@dataclass(frozen=True)
class Row:
    """Elements side by side where there is room.

    Examples
    --------
    >>> Row([Sentence("a")]).html()
    '<div class="row"><div><p>a</p></div></div>'
    """

    elements: Sequence[Element]

    def html(self) -> str:
        """Return a grid; nothing for no elements."""
        cells = "".join(f"<div>{element.html()}</div>" for element in self.elements)
        return f'<div class="row">{cells}</div>' if cells else ""


@dataclass(frozen=True)
class Card:
    """A molecule, or two that are compared, with what is known of them.

    Attributes
    ----------
    title
        What the card is about.
    drawings
        One or two drawings with a line below each.
    lines
        What is said of them.

    Examples
    --------
    >>> Card("M-1", [("<svg></svg>", "asked")], ["measured 1.2"]).html().startswith('<li class="card">')
    True
    """

    title: str
    drawings: Sequence[tuple[str, str]]
    lines: Sequence[str] = ()

    def html(self) -> str:
        """Return a card."""
        drawings = "".join(Figure(svg, caption).html() for svg, caption in self.drawings)
        pair = f'<div class="pair">{drawings}</div>' if len(self.drawings) > 1 else drawings
        lines = "".join(f"<p>{escaped(line)}</p>" for line in self.lines)
        return f'<li class="card"><h4>{escaped(self.title)}</h4>{pair}{lines}</li>'


@dataclass(frozen=True)
class Cards:
    """Cards in a grid; what is above them is an :class:`Heading`.

    Attributes
    ----------
    cards
        In order.
    small
        Three in a row where there is room, not two.

    Examples
    --------
    >>> Cards([]).html()
    ''
    """

    cards: Sequence[Card]
    small: bool = False

    def html(self) -> str:
        """Return a list of cards; nothing for none."""
        kind = "cards small" if self.small else "cards"
        return f'<ul class="{kind}">{"".join(card.html() for card in self.cards)}</ul>' if self.cards else ""


@dataclass(frozen=True)
class Fold:
    """Elements that open at a click, for what only few readers want; on paper they stay closed.

    Examples
    --------
    >>> Fold("All tasks", [Sentence("a")]).html()
    '<details><summary>All tasks</summary><p>a</p></details>'
    """

    title: str
    elements: Sequence[Element]

    def html(self) -> str:
        """Return the elements, closed."""
        inside = "".join(element.html() for element in self.elements)
        return f"<details><summary>{escaped(self.title)}</summary>{inside}</details>"


@dataclass(frozen=True)
class Code:
    """Lines that are typed: a command, a call.

    Examples
    --------
    >>> Code("cytomol --help").html()
    '<pre tabindex="0"><code>cytomol --help</code></pre>'
    """

    text: str

    def html(self) -> str:
        """Return the lines as they stand."""
        return f'<pre tabindex="0"><code>{escaped(self.text)}</code></pre>'
