"""Simple matchers find what is planted for them, and nothing where there is nothing."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.errors import ConfigError
from cytomol.evaluate.matching.contest import rank_entrant
from cytomol.evaluate.matching.entrants import Entrant
from cytomol.evaluate.matching.simple_matchers import Lesson, simple_matchers
from cytomol.evaluate.matching.strata import Stratum


def lesson(signal: float) -> Lesson:
    """Return profiles that are a linear function of the bits, and noise."""
    rng = np.random.default_rng(0)
    bits = (rng.random((440, 60)) < 0.2).astype(np.float32)
    profiles = signal * bits @ rng.normal(size=(60, 12)) + rng.normal(0, 0.3, (440, 12))
    return Lesson(bits[:400], profiles[:400], bits[400:], profiles[400:])


def found(name: str, signal: float) -> float:
    entrant = Entrant(name, "no", lambda: simple_matchers[name](lesson(signal)))
    everyone = Stratum("all", np.ones(40, bool), np.ones(40, bool))
    rankings = rank_entrant(entrant, [everyone])
    return float(np.mean([ranked.found["MRR"].mean() for ranked in rankings.values()]))


@pytest.mark.parametrize(("name", "at_least"), [("ridge", 0.9), ("cca", 0.6), ("neighbour", 0.25)])
def test_a_linear_truth_is_found(name: str, at_least: float) -> None:
    assert found(name, 1.0) > at_least


@pytest.mark.parametrize("name", list(simple_matchers))
def test_nothing_is_found_where_nothing_is(name: str) -> None:
    assert found(name, 0.0) < 0.2  # chance is 0.107


@pytest.mark.parametrize("name", list(simple_matchers))
def test_places_have_length_one(name: str) -> None:
    for places in simple_matchers[name](lesson(1.0)):
        np.testing.assert_allclose(np.linalg.norm(places, axis=1), 1)


def test_an_unknown_one_lists_the_known() -> None:
    with pytest.raises(ConfigError, match="known: cca, neighbour, ridge"):
        simple_matchers["forest"]
