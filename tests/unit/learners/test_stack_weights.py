from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from cytomol.learners.stack_weights import stack, weighted_mean

KINDS = pytest.mark.parametrize("kind", ["classification", "regression"])


def problem(kind: str, seed: int = 0, members: int = 3, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    value = rng.normal(size=(n, 2))
    noisy = np.stack([value + rng.normal(scale=0.3 + m, size=value.shape) for m in range(members)])
    if kind == "classification":
        return expit(noisy), (value > 0).astype(float)
    return noisy, value


@settings(max_examples=15, deadline=None)
@example(seed=3, members=3, missing=0.84375)  # classes that can be told apart without error
@given(seed=st.integers(0, 10_000), members=st.integers(1, 5), missing=st.floats(0, 1))
@KINDS
def test_weights_are_positive_and_sum_to_one(kind: str, seed: int, members: int, missing: float) -> None:
    answers, labels = problem(kind, seed, members)
    labels[np.random.default_rng(seed).random(labels.shape) < missing] = np.nan
    weights = stack(answers, labels, kind)
    assert weights.shape == (members,)
    assert (weights > 0).all()
    assert weights.sum() == pytest.approx(1)


@KINDS
@pytest.mark.parametrize("place", [0, 2])
def test_a_perfect_member_gets_the_most_weight(kind: str, place: int) -> None:
    rng = np.random.default_rng(3)
    _, labels = problem(kind)
    answers = rng.normal(size=(3, *labels.shape))
    answers = expit(answers) if kind == "classification" else answers
    answers[place] = labels
    weights = stack(answers, labels, kind)
    # classes that any mean with this member separates leave the common scale free, so no more is certain
    assert weights.argmax() == place
    assert kind == "classification" or weights[place] > 0.5


@KINDS
def test_a_good_member_among_guesses_gets_more_than_half(kind: str) -> None:
    answers, labels = problem(kind, n=300)
    guesses = np.random.default_rng(3).normal(size=(2, *labels.shape))
    answers = np.concatenate([expit(guesses) if kind == "classification" else guesses, answers[:1]])
    if kind == "classification":
        wrong = np.random.default_rng(4).random(labels.shape) < 0.1  # nothing separates the classes
        labels = np.where(wrong, 1 - labels, labels)
    assert stack(answers, labels, kind, ridge=0.0)[2] > 0.5


@KINDS
def test_few_rows_draw_the_weights_to_equal_ones(kind: str) -> None:
    answers, labels = problem(kind, n=2000)
    many, few = stack(answers, labels, kind), stack(answers[:, :20], labels[:20], kind)
    assert np.abs(many - 1 / 3).max() > np.abs(few - 1 / 3).max()
    prior = {"classification": 200, "regression": 3}[kind] / labels.size
    np.testing.assert_array_equal(many, stack(answers, labels, kind, ridge=prior))


@KINDS
def test_equal_weights_where_nothing_is_measured(kind: str) -> None:
    answers, labels = problem(kind)
    for unmeasured in (np.full_like(labels, np.nan), labels[:0]):
        np.testing.assert_array_equal(stack(answers[:, : len(unmeasured)], unmeasured, kind), 1 / 3)
    answers[1] = np.nan
    np.testing.assert_array_equal(stack(answers, labels, kind), 1 / 3)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000), order=st.permutations(range(3)))
@KINDS
def test_the_order_of_members_does_not_matter(kind: str, seed: int, order: list[int]) -> None:
    answers, labels = problem(kind, seed)
    weights, turned = stack(answers, labels, kind), stack(answers[order], labels, kind)
    np.testing.assert_allclose(turned, weights[order], atol=5e-3)
    np.testing.assert_allclose(
        weighted_mean(answers[order], weights[order], kind), weighted_mean(answers, weights, kind), rtol=1e-9
    )


def test_the_unit_of_a_task_does_not_matter() -> None:
    answers, labels = problem("regression")
    unit = np.array([1e3, 1e-2])
    weights = stack(answers, labels, "regression")
    np.testing.assert_allclose(stack(answers * unit, labels * unit, "regression"), weights, atol=1e-4)


def test_combine_is_the_weighted_mean() -> None:
    answers, _ = problem("regression")
    weights = np.array([0.5, 0.3, 0.2])
    expected = np.einsum("m,mnt->nt", weights, answers)
    np.testing.assert_allclose(weighted_mean(answers, weights, "regression"), expected)
    answers = expit(answers.clip(-3, 3))
    expected = expit(np.einsum("m,mnt->nt", weights, logit(answers)))
    np.testing.assert_allclose(weighted_mean(answers, weights, "classification"), expected)


@KINDS
def test_combine_leaves_out_members_without_an_answer(kind: str) -> None:
    answers, _ = problem(kind)
    weights = np.array([0.5, 0.3, 0.2])
    answers[0, :, 0] = np.nan
    found = weighted_mean(answers, weights, kind)
    without = weighted_mean(answers[1:], np.array([0.6, 0.4]), kind)
    np.testing.assert_allclose(found[:, 0], without[:, 0])
    answers[:, 4] = np.nan
    assert np.isnan(weighted_mean(answers, weights, kind)[4]).all()
