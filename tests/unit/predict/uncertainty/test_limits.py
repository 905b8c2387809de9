"""Inside, edge, outside: where the limits lie, and the words and reasons that follow."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.predict.uncertainty import DomainLimits


def tried(n: int = 1000, *, step: float = 1.0, at: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Return similarities from 0 to 1 and errors that are ``step`` times as large below ``at``."""
    similarity = np.linspace(0, 1, n)
    return similarity, np.where(similarity < at, step, 1.0)


def test_the_edge_is_where_errors_grow() -> None:
    limits = DomainLimits.fit(*tried(step=2.0))
    assert limits.outside == pytest.approx(0.05)
    # of the shares that are tried the largest whose errors are 1.25 times those of the rest
    assert limits.edge == pytest.approx(0.3)
    assert limits.worse == pytest.approx((0.15 * 2 + 0.1) / 0.25, abs=0.01)
    steep = DomainLimits.fit(*tried(step=1.45))
    assert steep.edge == pytest.approx(0.3)
    assert DomainLimits.fit(*tried(step=1.3)).edge == pytest.approx(0.2)


def test_errors_that_do_not_grow_leave_a_tenth_at_the_edge() -> None:
    for step in (1.0, 0.5, 1.2):
        limits = DomainLimits.fit(*tried(step=step))
        assert limits.edge == pytest.approx(0.1)
    few = DomainLimits.fit(*tried(39, step=5.0))
    assert few.edge == pytest.approx(0.1)
    assert np.isnan(few.worse)


def test_words_and_reasons() -> None:
    limits = DomainLimits(0.2, 0.4, 1.6, tried=True)
    asked = np.array([0.1, 0.2, 0.3, 0.4, 0.9, np.nan], dtype=np.float32)
    assert limits.words(asked) == ["outside", "edge", "edge", "inside", "inside", None]
    reasons = limits.reasons(asked)
    assert reasons[0] == (
        "nearest training molecule is 0.10 alike; "
        "19 of 20 molecules that the model was tried on had one 0.20 alike or more"
    )
    assert reasons[2] == (
        "nearest training molecule is 0.30 alike; below 0.40 errors were 1.6 times those above"
    )
    assert reasons[4] == (
        "nearest training molecule is 0.90 alike; the model was tried on many with one 0.40 alike or more"
    )
    assert reasons[5] is None
    flat = DomainLimits(0.2, 0.4, 1.0, tried=True).reasons(asked)
    assert flat[2].endswith("9 of 10 molecules that the model was tried on had one 0.40 alike or more")


def test_limits_of_training_molecules_among_themselves_have_no_edge() -> None:
    limits = DomainLimits.at(0.5)
    asked = np.array([0.49, 0.5], dtype=np.float32)
    assert limits.words(asked) == ["outside", "inside"]
    assert limits.reasons(asked)[0].endswith("19 of 20 training molecules have one 0.50 alike or more")


def test_unmeasured_and_unknown_rows_count_for_nothing() -> None:
    similarity, error = tried(step=2.0)
    more = np.concatenate([similarity, np.full(50, np.nan)]), np.concatenate([error, np.full(50, 9.0)])
    assert DomainLimits.fit(*more) == DomainLimits.fit(similarity, error)
    nothing = DomainLimits.fit(np.full(3, np.nan), np.ones(3))
    assert nothing.words(np.array([0.99, 1.0])) == ["outside", "inside"]


@pytest.mark.parametrize("limits", [DomainLimits.at(0.3), DomainLimits(0.1, 0.2, 1.5, tried=True)])
def test_round_trip(limits: DomainLimits) -> None:
    back = DomainLimits.restore(limits.values())
    np.testing.assert_array_equal(back.values(), limits.values())
    assert back.tried is limits.tried
