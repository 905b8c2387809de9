"""Words that agree with the numbers before them."""

from __future__ import annotations

__all__ = ["agreeing", "counted"]


def counted(number: int, noun: str, *, plural: str = "", of: int | None = None, comma: bool = True) -> str:
    """Return a number with its noun.

    Parameters
    ----------
    number, noun
        How many there are, and what one of them is called.
    plural
        What several are called, where that is not the noun and an s.
    of
        The number of which these are a part; the noun goes with it.
    comma
        Whether thousands stand apart.

    Examples
    --------
    >>> counted(1, "column"), counted(2000, "column"), counted(2000, "column", comma=False)
    ('1 column', '2,000 columns', '2000 columns')
    >>> counted(1, "query", plural="queries", of=3)
    '1 of 3 queries'
    """
    shown = "," if comma else ""
    part = "" if of is None else f" of {of:{shown}}"
    alone = (number if of is None else of) == 1
    return f"{number:{shown}}{part} {noun if alone else plural or f'{noun}s'}"


def agreeing(
    number: int,
    noun: str,
    one: str,
    more: str,
    *,
    plural: str = "",
    of: int | None = None,
    comma: bool = True,
) -> str:
    """Return a number with its noun and the verb that goes with it.

    The options are those of `counted`; the verb goes with the number, be it a part of others or not.

    Examples
    --------
    >>> agreeing(1, "cell", "is", "are"), agreeing(0, "cell", "is", "are")
    ('1 cell is', '0 cells are')
    >>> agreeing(1, "cell", "is", "are", of=9), agreeing(0, "cell", "is", "are", of=1)
    ('1 of 9 cells is', '0 of 1 cell are')
    """
    return f"{counted(number, noun, plural=plural, of=of, comma=comma)} {one if number == 1 else more}"
