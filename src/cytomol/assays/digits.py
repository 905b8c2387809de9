"""Numbers printed with the digits that the spread of their target deserves."""

from __future__ import annotations

import math

__all__ = ["digits_of", "shown"]

_SIGNIFICANT = 3  # digits of the spread that are worth printing
_LONGEST = 15  # digits of a double that mean anything


def digits_of(spread: float) -> int:
    """Return the decimal place down to which values of this spread are printed; negative left of the point.

    >>> digits_of(1.3), digits_of(1e-6), digits_of(2500.0)
    (2, 8, -1)
    """
    if not math.isfinite(spread) or spread <= 0:
        return 4
    return _SIGNIFICANT - 1 - math.floor(math.log10(spread))


def shown(value: float | None, spread: float) -> str:
    """Return a value as text, as exact as a thousandth of the spread of its target; "-" for none.

    >>> shown(0.83123, 1.3), shown(8.31e-07, 1e-6), shown(-250000.128, 1.0), shown(2.5e30, 1e30)
    ('0.83', '8.3e-07', '-250000.13', '2.50e+30')
    """
    if value is None or math.isnan(value):
        return "-"
    if math.isinf(value):
        return f"{value:g}"
    places = digits_of(spread)
    size = math.floor(math.log10(abs(value))) if value else 0
    if 0 <= places <= 6 and size < _LONGEST - places:
        return f"{value:.{places}f}"
    if places < 0 and size < 7:
        return f"{value:.0f}"
    if value == 0:
        return "0"
    return f"{value:.{min(max(size + places, 0), _LONGEST)}e}"
