"""The text of a SMARTS atom taken apart: what must hold together, and what is a choice."""

from __future__ import annotations

from rdkit import Chem

__all__ = ["atom_terms", "necessary_terms", "recursive_pattern"]


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


def necessary_terms(smarts: str) -> list[list[str]]:
    """Return what an atom must be like to meet a SMARTS atom: of each list one, terms joined by "&".

    A recursive pattern stands with its first atom; what must not be there is left out.

    Examples
    --------
    >>> necessary_terms("[C&!$(C=O);H1,H2]")
    [['C'], ['H1', 'H2']]
    >>> necessary_terms("[$([N&X3](=O)=O),$(n)]")
    [['N&X3', 'n']]
    """
    if not smarts.startswith("["):
        return [[smarts]]
    found = []
    for alternatives in atom_terms(smarts):
        if len(alternatives) == 1:
            for term in alternatives[0]:
                found += _of_term(term)
        elif joined := _joined([necessary_terms("[" + "&".join(terms) + "]") for terms in alternatives]):
            found.append(joined)
    return found


def _of_term(term: str) -> list[list[str]]:
    if not (text := recursive_pattern(term)):
        return [] if "$" in term else [[term]]
    pattern = Chem.MolFromSmarts(text)
    return [] if pattern is None else necessary_terms(pattern.GetAtomWithIdx(0).GetSmarts())


def _joined(choices: list[list[list[str]]]) -> list[str]:
    """Return alternatives of which one must hold where one of some choices does; none if one says nothing."""
    alternatives: list[str] = []
    for lists in choices:
        several = [one for one in lists if len(one) > 1]
        if not lists or (several and len(lists) > 1):
            return []
        alternatives += several[0] if several else ["&".join(one[0] for one in lists)]
    return alternatives


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
