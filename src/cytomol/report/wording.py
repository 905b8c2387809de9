"""Words, numbers and names as all reports write them."""

from __future__ import annotations

import math

__all__ = ["figure_name", "number_or_dash", "shortened"]


def shortened(text: str, most: int) -> str:
    """Return a text cut to so many letters, with a sign that it was.

    Examples
    --------
    >>> shortened("compound_targets_gene", 9), shortened("mine", 9)
    ('compound…', 'mine')
    """
    return text if len(text) <= most else f"{text[: most - 1]}…"


def number_or_dash(value: float | None, form: str = ".4f") -> str:
    """Return a number in a form; a dash where there is none.

    Examples
    --------
    >>> number_or_dash(0.25), number_or_dash(1234.5, ",.0f"), number_or_dash(float("nan"))
    ('0.2500', '1,234', '–')
    """
    return "–" if value is None or math.isnan(value) else format(value, form)


def figure_name(*parts: object) -> str:
    """Return what a figure of a page may be called: letters, digits and hyphens of whatever it is about.

    Two things may come to be called alike, so a number belongs to the parts where there are several.

    Examples
    --------
    >>> figure_name("study", "k = 3", 0)
    'study-k---3-0'
    """
    text = "-".join(map(str, parts))
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)
