"""The text of a SMARTS atom taken apart: what must hold together, and what is a choice."""

from __future__ import annotations

__all__ = ["atom_terms", "recursive_pattern"]


def atom_terms(smarts: str) -> list[list[list[str]]]:
    """Return the parts of an atom, each a list of alternatives, each a list of terms.

    All parts must hold; of a part one alternative, of an alternative all terms. An atom without brackets, or
    of another kind, has no parts.

    Examples
    --------
    >>> atom_terms("[C&!$(C-[O&H1]);H1,H2]")
    [[['C', '!$(C-[O&H1])']], [['H1'], ['H2']]]
    >>> atom_terms("C")
    []
    """
    if not (smarts.startswith("[") and smarts.endswith("]")):
        return []
    return [
        [_split(alternative, "&") for alternative in _split(part, ",")] for part in _split(smarts[1:-1], ";")
    ]


def recursive_pattern(term: str) -> str:
    """Return the pattern of a term that asks for one and for nothing else, else "".

    Examples
    --------
    >>> recursive_pattern("$(C=O)")
    'C=O'
    >>> recursive_pattern("!$(C=O)")
    ''
    """
    return term[2:-1] if term.startswith("$(") and _is_whole(term) else ""


def _is_whole(term: str) -> bool:
    """Tell whether the bracket that opens a recursive pattern closes at the end."""
    depth = 0
    for i, letter in enumerate(term):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and i > 0:
            return i == len(term) - 1
    return False


def _split(text: str, mark: str) -> list[str]:
    """Split at a mark outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
