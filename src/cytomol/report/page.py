"""A report as one self-contained page: no network, no script, readable in print, in the dark, by ear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cytomol.report.elements import Element, escaped
from cytomol.report.stylesheet import style_sheet
from cytomol.version import __version__

__all__ = ["Page", "Section"]


@dataclass(frozen=True)
class Section:
    """A part of a report with a heading.

    Attributes
    ----------
    title
        The heading; the anchor is made from it.
    elements
        What follows it, in order.

    Examples
    --------
    >>> Section("What was run", []).anchor
    'what-was-run'
    """

    title: str
    elements: Sequence[Element]

    @property
    def anchor(self) -> str:
        """What the section is called in a link, where no section before it is called so."""
        plain = unicodedata.normalize("NFKD", self.title).encode("ascii", "ignore").decode()
        return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "section"

    def html(self, anchor: str) -> str:
        """Return the section, by the name that links call it."""
        inside = "\n".join(element.html() for element in self.elements)
        heading = f'<h2 id="{anchor}">{escaped(self.title)}</h2>'
        return f'<section aria-labelledby="{anchor}">{heading}\n{inside}\n</section>'


@dataclass(frozen=True)
class Page:
    """A report: title, a line below it, and sections in order.

    Attributes
    ----------
    title
        Of the page and of the browser's tab.
    subtitle
        One line that says what is reported on.
    sections
        In order; like titles get numbers in their links.

    Examples
    --------
    >>> from cytomol.report.elements import Sentence
    >>> text = Page("A model", "of two assays", [Section("Verdict", [Sentence("useful")])]).html()
    >>> text.startswith("<!doctype html>"), "<p>useful</p>" in text
    (True, True)
    """

    title: str
    subtitle: str
    sections: Sequence[Section]

    def html(self) -> str:
        """Return the whole page."""
        placed = list(zip(_anchors(self.sections), self.sections, strict=True))
        contents = "".join(
            f'<li><a href="#{anchor}">{escaped(section.title)}</a></li>' for anchor, section in placed
        )
        title, body = escaped(self.title), "\n".join(section.html(anchor) for anchor, section in placed)
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            # what a stranger's text could still smuggle in is neither run nor fetched
            '<meta http-equiv="Content-Security-Policy" '
            "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
            f'<link rel="icon" href="data:,">\n<title>{title}</title>\n'
            f"<style>{style_sheet()}</style>\n</head>\n"
            '<body>\n<a class="skip" href="#main">To the content</a>\n<div class="sheet">\n'
            f'<header><h1>{title}</h1><p class="quiet">{escaped(self.subtitle)}</p></header>\n'
            f'<nav aria-label="Contents"><ol>{contents}</ol></nav>\n<main id="main">\n{body}\n</main>\n'
            f'<footer class="quiet">Made by cytomol {escaped(__version__)}. This page holds all that it '
            "shows and asks nothing of a network.</footer>\n</div>\n</body>\n</html>\n"
        )


def _anchors(sections: Sequence[Section]) -> Iterator[str]:
    """Yield what each section is called in a link; titles may differ in signs that links do not have."""
    taken = {"main"}
    for section in sections:
        number, anchor = 1, section.anchor
        while anchor in taken:
            number += 1
            anchor = f"{section.anchor}-{number}"
        taken.add(anchor)
        yield anchor
