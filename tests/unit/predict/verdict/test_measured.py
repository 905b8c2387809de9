from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from cytomol.assays.labels import Labels, Task
from cytomol.errors import InputError
from cytomol.predict.verdict.measured import Certainty, held_share, score_predictions

VALUE, CLASS = Task("pIC50", "regression"), Task("active", "binary", ("no", "yes"))


@pytest.mark.parametrize(("k", "n"), [(0, 7), (7, 7), (3, 10), (90, 100)])
def test_the_interval_of_a_share_equals_scipy(k: int, n: int) -> None:
    found = held_share(np.arange(n) < k)
    expected = binomtest(k, n).proportion_ci(0.95, method="exact")
    assert (found.value, found.low, found.high) == pytest.approx((k / n, expected.low, expected.high))


def test_no_rows_have_no_share() -> None:
    assert np.isnan(held_share(np.zeros(0, dtype=bool)).value)


def values(width: float) -> tuple[Labels, np.ndarray, Certainty]:
    observed = np.linspace(-1, 1, 100)
    predicted = np.zeros(100)
    labels = Labels((VALUE,), observed[:, None])
    return labels, predicted[:, None], Certainty(0.9, predicted[:, None] - width, predicted[:, None] + width)


def test_intervals_that_hold_less_than_stated_are_called_too_few() -> None:
    found = score_predictions(values(0.5)[0], values(0.5)[1], certainty=values(0.5)[2])
    assert found.held["pIC50"].held.value == 0.5
    line = found.lines()[-1]
    assert line == (
        "pIC50: intervals that should hold 90% hold 50% of the measured values (40% to 60%), which is too few"
    )


def test_intervals_that_hold() -> None:
    labels, predicted, certainty = values(0.91)
    found = score_predictions(labels, predicted, certainty=certainty)
    assert found.held["pIC50"].held.value == 0.9  # by hand: 45 of 50 points on each side lie within 0.91
    assert "too few" not in found.lines()[-1]


def test_bounds_missing_labels_and_missing_intervals_do_not_count() -> None:
    labels, predicted, certainty = values(0.5)
    assert certainty.low is not None
    labels.matrix[40, 0] = np.nan  # three that would be inside
    certainty.low[41, 0] = np.nan
    bounds = np.zeros((100, 1), dtype=np.int8)
    bounds[42] = 1
    found = score_predictions(
        Labels(labels.tasks, labels.matrix, bounds=bounds), predicted, certainty=certainty
    )
    assert found.held["pIC50"].held.value == pytest.approx(47 / 97)


def test_sets_of_classes_and_calibration() -> None:
    observed = np.tile([0.0, 1], 50)
    contains = np.zeros((100, 1, 2), dtype=bool)
    contains[:, 0, 0] = True  # right for class 0 alone
    contains[:10, 0, 1] = True
    share = np.full((100, 1), 0.35)
    found = score_predictions(
        Labels((CLASS,), observed[:, None]),
        share,
        certainty=Certainty(0.9, contains=contains, calibrated=share),
    )
    assert found.held["active"].held.value == pytest.approx(0.55)
    assert found.held["active"].calibration_error == pytest.approx(0.15)
    assert found.lines()[-1].startswith("active: sets that should hold 90% hold 55%")
    assert found.lines()[-1].endswith("calibration error 0.150")
    kept = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert kept["certainty"]["active"]["held"]["value"] == pytest.approx(0.55)


def test_without_certainty_there_is_the_verdict_alone() -> None:
    labels, predicted, _ = values(0.5)
    found = score_predictions(labels, predicted)
    assert found.held == {}
    assert found.verdict.word == "unusable"
    assert found.lines() == found.verdict.lines()


def test_mixed_tasks_have_what_suits_them() -> None:
    observed = np.linspace(-1, 1, 100)
    labels = Labels((VALUE, CLASS), np.column_stack([observed, observed > 0]))
    wide = np.full((100, 2), 5.0)
    found = score_predictions(labels, np.zeros((100, 2)), certainty=Certainty(0.9, -wide, wide))
    assert set(found.held) == {"pIC50"}


def test_other_shapes_are_refused() -> None:
    labels, predicted, certainty = values(0.5)
    with pytest.raises(InputError, match=r"low has shape \(100, 1\), labels \(99, 1\)"):
        score_predictions(Labels((VALUE,), labels.matrix[1:]), predicted[1:], certainty=certainty)


def test_other_baselines_are_set_beside_the_model() -> None:
    labels, predicted, _ = values(0.5)
    found = score_predictions(
        labels, labels.matrix * 0.9, baselines={"forest": labels.matrix * 0.5, "constant": predicted}
    )
    assert set(found.verdict["pIC50"].better_by) == {"forest", "constant"}
    assert found.verdict.sentence.startswith("better than a forest by ")
