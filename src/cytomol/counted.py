"""Words that agree with the numbers before them."""

from __future__ import annotations

__all__ = ["agreeing", "counted"]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "column"), counted(2000, "column")
    ('1 column', '2,000 columns')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def agreeing(number: int, noun: str, one: str, more: str) -> str:
    """Return a number with its noun and the verb that goes with it.

    Examples
    --------
    >>> agreeing(1, "cell", "is", "are"), agreeing(0, "cell", "is", "are")
    ('1 cell is', '0 cells are')
    """
    return f"{counted(number, noun)} {one if number == 1 else more}"
