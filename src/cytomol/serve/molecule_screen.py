"""Molecules that a service takes on: what could stall it is told by its text alone, before RDKit reads it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cytomol.serve.service_limits import ServiceLimits

__all__ = ["screen_molecules"]

_BRACKETS = re.compile(r"\[[^\]]*\]")
_RING_CLOSURE = re.compile(r"%\(\d+\)|%\d\d|\d")


def screen_molecules(smiles: Sequence[str | None], limits: ServiceLimits) -> tuple[list[str], dict[int, str]]:
    """Return molecules with those blanked that are not taken on, and the reasons by row.

    What passes is short, and has few rings and, as the model counts them, few atoms: it is a matter of a
    second at most, and needs no process that can be killed.

    Parameters
    ----------
    smiles
        As they came; None is no molecule.
    limits
        Of the service.

    Examples
    --------
    >>> screen_molecules(["CCO", None, "C" * 2000], ServiceLimits())
    (['CCO', '', ''], {1: 'no SMILES', 2: '2,000 characters, more than the 1,000 that are read'})
    """
    texts: list[str] = []
    reasons: dict[int, str] = {}
    for row, text in enumerate(smiles):
        reason = _reason(text, limits)
        if reason:
            reasons[row] = reason
        texts.append("" if reason or text is None else text)
    return texts, reasons


def _reason(text: str | None, limits: ServiceLimits) -> str:
    if text is None or not text.strip():
        return "no SMILES"
    if len(text) > limits.characters:
        return f"{len(text):,} characters, more than the {limits.characters:,} that are read"
    rings = _rings(text)
    if rings > limits.rings:
        return f"{rings:,} rings, more than the {limits.rings:,} that are read"
    return ""


def _rings(text: str) -> int:
    """Return how many rings the text closes: digits outside brackets come in pairs, as %12 does."""
    return len(_RING_CLOSURE.findall(_BRACKETS.sub("", text))) // 2
