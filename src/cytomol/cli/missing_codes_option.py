"""The option --missing-codes of the verbs that read measured values but have no file of options."""

from __future__ import annotations

import click

__all__ = ["codes_of", "missing_codes_option"]

missing_codes_option = click.option(
    "--missing-codes",
    metavar="A,B",
    help="What stands for nothing measured beside empty cells, such as -1,-999; none: no number does.",
)


def codes_of(text: str | None) -> list[str]:
    """Return the codes of a list.

    Examples
    --------
    >>> codes_of("-1, -999"), codes_of(None)
    (['-1', '-999'], [])
    """
    return [code.strip() for code in (text or "").split(",") if code.strip()]
