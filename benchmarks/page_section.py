"""A page whose one section is made from rows; the rest of it is written by hand."""

from __future__ import annotations

__all__ = ["with_section"]


def with_section(text: str, begin: str, end: str, section: str) -> str:
    """Return a page with what stands between two marks replaced.

    Examples
    --------
    >>> with_section("a <b> old <e> c", "<b>", "<e>", " new ")
    'a <b> new <e> c'
    """
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}{section}{end}{after}"
