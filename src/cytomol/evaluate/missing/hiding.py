"""Profiles taken out of a corpus, as many as a rate says; higher rates take out the same and more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cytomol.corpus.schema import Corpus
from cytomol.errors import ConfigError, InputError
from cytomol.evaluate.missing.hiding_patterns import Hideable, patterns

__all__ = ["ALL", "Hidden", "hidden_profiles", "hide", "modalities_of"]

ALL = "all"
"""Hide in all modalities that a pattern can hide in."""


@dataclass(frozen=True)
class Hidden:
    """A corpus without some profiles.

    Attributes
    ----------
    corpus
        The corpus.
    share
        Share of the profiles of the chosen modalities that are hidden.
    """

    corpus: Corpus
    share: float


def hide(hideable: Hideable, modalities: Sequence[str], pattern: str, rate: float, *, seed: int) -> Hidden:
    """Return the corpus without a share of the profiles of some modalities.

    Parameters
    ----------
    hideable
        The corpus.
    modalities
        In which profiles are hidden.
    pattern
        What goes missing together: "random", "scaffold" or "plate".
    rate
        Share of the profiles to hide, 0 to 1.
    seed
        Decides which; of equal seeds the higher rate hides what the lower one does, and more.

    Raises
    ------
    ConfigError
        If the pattern is unknown, or cannot hide in a modality.
    """
    corpus, gone, before = hideable.corpus, 0, 0
    kept = dict(corpus.modalities)
    for name in modalities:
        hidden = hidden_profiles(patterns[pattern](hideable, name), rate, seed=seed)
        kept[name] = corpus.modalities[name].take(~hidden)
        gone, before = gone + int(hidden.sum()), before + len(hidden)
    return Hidden(replace(corpus, modalities=kept), gone / before if before else 0.0)


def hidden_profiles(units: NDArray[np.int64], rate: float, *, seed: int) -> NDArray[np.bool_]:
    """Return which profiles are hidden: whole units, drawn in turn until the share is nearest to the rate.

    Parameters
    ----------
    units
        What goes missing together, int64, shape (profiles,).
    rate
        Share of the profiles to hide, 0 to 1.
    seed
        Decides the order in which units are drawn.

    Examples
    --------
    >>> import numpy as np
    >>> units = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    >>> hidden = hidden_profiles(units, 0.5, seed=0)
    >>> int(hidden.sum()), bool((hidden[::2] == hidden[1::2]).all())
    (4, True)
    """
    if not 0 <= rate <= 1:
        raise ConfigError(f"a rate of {rate:g}", hint="rates are shares from 0 to 1")
    if rate in {0, 1} or not len(units):
        return np.full(len(units), rate == 1)
    names, place, sizes = np.unique(units, return_inverse=True, return_counts=True)
    order = np.random.default_rng([seed, len(names)]).permutation(len(names))
    after = np.cumsum(sizes[order])
    # the last unit that is drawn goes over the mark where that is nearer than to stay below it
    drawn = after - sizes[order] / 2 <= rate * len(units)
    gone = np.zeros(len(names), np.bool_)
    gone[order[: int(np.argmin(drawn)) if not drawn.all() else len(names)]] = True
    return gone[place]


def modalities_of(hideable: Hideable, hidden: str, pattern: str) -> list[str]:
    """Return the modalities of one curve: the one that is named, or for "all" those a pattern can hide in.

    Raises
    ------
    InputError
        If there is no such modality.
    ConfigError
        If the pattern can hide in none.
    """
    known = hideable.corpus.modalities
    if hidden != ALL:
        if hidden not in known:
            raise InputError(f"no modality {hidden!r}", hint=f"this corpus has {', '.join(known) or 'none'}")
        patterns[pattern](hideable, hidden)  # what it cannot hide in is said now
        return [hidden]
    found, reason = [], None
    for name in known:
        try:
            patterns[pattern](hideable, name)
        except ConfigError as error:
            reason = reason or error
        else:
            found.append(name)
    if not found:
        raise reason or InputError("the corpus holds no profiles", hint="there is nothing to hide")
    return found
