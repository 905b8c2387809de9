"""Numbers in print: as many digits as the spread of what was measured deserves."""

from __future__ import annotations

import math

__all__ = ["shown"]

_DIGITS = 3  # of the spread: more is noise in any assay
_FEWEST, _MOST = 1e-4, 1e6  # outside, powers of ten are easier to read


def shown(value: float, spread: float) -> str:
    """Return a number as text with the digits that matter beside a spread.

    Parameters
    ----------
    value
        The number.
    spread
        Standard deviation of what it is to be compared with; three digits of it are shown. Where it is
        0 or unknown, the value has four digits of its own.

    Examples
    --------
    >>> shown(0.29412, 1.2), shown(-250000.123, 1.0), shown(3.14159e-14, 1e-14)
    ('0.29', '-250000.12', '3.14e-14')
    """
    if not math.isfinite(value):
        return "-" if math.isnan(value) else str(value)
    if not (math.isfinite(spread) and spread > 0):
        return f"{value:.4g}"
    last = math.floor(math.log10(spread)) - _DIGITS + 1  # power of ten of the last digit shown
    if _FEWEST <= spread < _MOST:
        text = f"{value:.{max(-last, 0)}f}"
    else:
        first = math.floor(math.log10(abs(value))) if value else last
        text = f"{value:.{max(first - last, 0)}e}"
    return text[1:] if text.startswith("-") and not text.strip("-0.e+") else text
