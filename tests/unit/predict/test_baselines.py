from __future__ import annotations

import numpy as np

from cytomol.assays.labels import Task
from cytomol.predict.baselines import constant_prediction


def test_values_get_the_median_which_has_the_least_absolute_error() -> None:
    labels = np.array([1.0, np.nan, 2.0, 10.0])
    found = constant_prediction(Task("a", "regression"), labels, 3)
    np.testing.assert_array_equal(found, [2.0, 2.0, 2.0])


def test_two_classes_get_the_share_of_class_1() -> None:
    labels = np.array([1.0, 0, np.nan, 0, 0])
    np.testing.assert_array_equal(
        constant_prediction(Task("a", "binary", ("no", "yes")), labels, 2), [0.25] * 2
    )


def test_many_classes_get_the_share_of_each() -> None:
    labels = np.array([0.0, 2, 2, np.nan, 2])
    found = constant_prediction(Task("a", "multiclass", ("x", "y", "z")), labels, 2)
    np.testing.assert_array_equal(found, [[0.25, 0, 0.75]] * 2)


def test_no_training_label_gives_nothing() -> None:
    none = np.full(4, np.nan)
    assert np.isnan(constant_prediction(Task("a", "regression"), none, 2)).all()
    assert np.isnan(constant_prediction(Task("a", "multiclass", ("x", "y", "z")), none, 2)).all()
