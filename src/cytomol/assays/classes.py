"""Classes as a table writes them: which there are, in which order, and which one is positive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["class_name", "encode", "has_known_words", "order_classes"]

_PAIRS = (
    ("no", "yes"), ("n", "y"), ("false", "true"), ("f", "t"), ("negative", "positive"), ("neg", "pos"),
    ("-", "+"), ("low", "high"), ("fail", "pass"), ("failed", "passed"), ("off", "on"),
    ("absent", "present"), ("weak", "strong"), ("decoy", "active"), ("safe", "toxic"), ("bad", "good"),
)  # fmt: skip
_STEPS = (
    "none", "no", "inactive", "negative", "very low", "low", "weak", "slight", "mild", "medium", "moderate",
    "intermediate", "average", "high", "strong", "severe", "very high", "very strong",
)  # fmt: skip
_NOT = ("non-", "non ", "non", "not ", "not-", "no ", "in", "im", "un")
_WORDS = frozenset(word for pair in _PAIRS for word in pair) | frozenset(_STEPS) | {"active", "inactive"}


def class_name(number: float) -> str:
    """Return a class that is a number as one writes it: 1, not 1.0."""
    return str(int(number)) if float(number).is_integer() and abs(number) < 1e15 else repr(float(number))


def order_classes(names: Iterable[str]) -> tuple[tuple[str, ...], str]:
    """Return classes with the negative or lowest one first, and how that was told.

    >>> order_classes(["Active", "Inactive"])
    (('Inactive', 'Active'), 'by their words')
    >>> order_classes(["b", "a"])
    (('a', 'b'), 'by the alphabet')
    """
    names = sorted(set(names), key=str.casefold)
    plain = {name.casefold(): name for name in names}
    try:
        return tuple(sorted(names, key=float)), "by number"
    except ValueError:
        pass
    if len(names) == 2:
        for first, second in (tuple(plain), tuple(plain)[::-1]):
            if (first, second) in _PAIRS or any(first == prefix + second for prefix in _NOT):
                return (plain[first], plain[second]), "by their words"
    if all(word in _STEPS for word in plain):
        return tuple(plain[word] for word in sorted(plain, key=_STEPS.index)), "by their words"
    return tuple(names), "by the alphabet"


def has_known_words(names: Sequence[str]) -> bool:
    """Tell whether classes are words of an outcome, such as yes and no, or a word and its opposite."""
    plain = [name.casefold() for name in names]
    return all(word in _WORDS for word in plain) or order_classes(names)[1] == "by their words"


def encode(text: NDArray[np.object_]) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the classes of a column of words, and the place of every cell among them.

    Upper and lower case make no difference; a class is called as it is written most often.

    Parameters
    ----------
    text
        Words, "" where nothing is measured, shape (rows,).

    Returns
    -------
    classes
        The negative or lowest one first.
    places
        Place among the classes, NaN where nothing is measured, shape (rows,).
    """
    written = Counter(str(word) for word in text if word)
    spelling: dict[str, str] = {}
    for word, _ in sorted(written.items(), key=lambda item: (-item[1], item[0])):
        spelling.setdefault(word.casefold(), word)
    classes, _ = order_classes(spelling.values())
    place = {name.casefold(): float(at) for at, name in enumerate(classes)}
    return classes, np.array([place.get(str(word).casefold(), np.nan) for word in text], np.float64)
