"""Which rows of a modality are compared with what: every array by a loop over molecules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cytomol.methods.responses import best, compared, contrasted, project_response, quantized
from cytomol.nn.batch import Account, Batch, Dimensions, Response

MakeBatch = Callable[..., Batch]
MakeDimensions = Callable[..., Dimensions]
Augmentation = Literal["propagation", "mean", "zero", "random"]

NAME, SIZE = "morphology", 24


@pytest.fixture
def batch(make_batch: MakeBatch, make_dimensions: MakeDimensions) -> Batch:
    """Return molecules of all four kinds: measured or not, with neighbours' profiles or not."""
    made = make_batch(SIZE, make_dimensions(morphology=7), observed=0.5, seed=3)
    observed, reached, held = (
        made.responses[NAME].measured.known,
        made.responses[NAME].augmented.known,
        made.responses[NAME].held_out.known,
    )
    kinds = {(bool(o), bool(r), bool(h)) for o, r, h in zip(observed, reached, held, strict=True)}
    assert kinds == {(True, True, True), (True, True, False), (False, True, False), (False, False, False)}
    # what was measured, what propagation made of it and what neighbours say all differ
    assert not torch.equal(
        made.responses[NAME].augmented.values[observed], made.responses[NAME].measured.values[observed]
    )
    assert not torch.equal(
        made.responses[NAME].held_out.values[observed], made.responses[NAME].augmented.values[observed]
    )
    return made


def _respond(batch: Batch, augmentation: Augmentation = "propagation") -> Response:
    return project_response(nn.Identity(), batch.responses[NAME], augmentation)


def _rows(values: Tensor) -> Any:
    return values.tolist()


def test_held_out_accounts_are_what_was_measured_and_what_neighbours_say(batch: Batch) -> None:
    measured, told, part = compared(_respond(batch), "held_out")
    assert part is not None
    measured, told = measured[part], told[part]
    expected = [
        (_rows(batch.responses[NAME].measured.values)[i], _rows(batch.responses[NAME].held_out.values)[i])
        for i in range(SIZE)
        if batch.responses[NAME].measured.known[i] and batch.responses[NAME].held_out.known[i]
    ]
    assert list(zip(_rows(measured), _rows(told), strict=True)) == expected
    invariance = np.mean([(p - q) ** 2 for one, other in expected for p, q in zip(one, other, strict=True)])
    assert float((measured - told).square().mean()) == pytest.approx(invariance, rel=1e-5)
    assert invariance > 0.05  # held out, the two accounts of a measured row are no longer the same


def test_published_accounts_are_all_rows_with_and_without_augmentation(batch: Batch) -> None:
    measured, augmented, part = compared(_respond(batch), "paper")
    assert part is None
    assert torch.equal(measured, batch.responses[NAME].measured.values)
    for i in range(SIZE):
        # measured rows too: whether propagation restores them is decided where the batch is made
        given = batch.responses[NAME]
        source = given.augmented if given.augmented.known[i] else given.measured
        assert torch.equal(augmented[i], source.values[i]), i


@pytest.mark.parametrize("weight", [0.0, 0.25])
def test_contrast_takes_measured_rows_and_augmented_ones_with_their_weight(
    batch: Batch, weight: float
) -> None:
    values, weights = contrasted(_respond(batch), "held_out", weight)
    assert weights is not None
    found = [
        (i, row, w) for i, (row, w) in enumerate(zip(_rows(values), _rows(weights), strict=True)) if w != 0
    ]
    expected = []
    for i in range(SIZE):
        if batch.responses[NAME].measured.known[i]:
            expected.append((i, _rows(batch.responses[NAME].measured.values)[i], 1.0))
        elif weight and batch.responses[NAME].augmented.known[i]:
            expected.append((i, _rows(batch.responses[NAME].augmented.values)[i], weight))
    assert found == expected
    everything, weights = contrasted(_respond(batch), "paper", weight)
    assert torch.equal(everything, batch.responses[NAME].measured.values)
    assert weights is None


def test_code_book_sees_measured_rows_and_in_the_paper_placeholders_too(batch: Batch) -> None:
    response = _respond(batch)
    for alignment, part in (("held_out", batch.responses[NAME].measured.known), ("paper", None)):
        values, seen = quantized(response, alignment)
        assert torch.equal(values, batch.responses[NAME].measured.values)
        assert seen is part


def test_decoders_read_the_measured_profile_else_the_augmented_one(batch: Batch) -> None:
    response = _respond(batch)
    assert torch.equal(best(response, "placeholder"), batch.responses[NAME].measured.values)
    read = best(response, "augmented")
    for i in range(SIZE):
        observed, reached = (
            bool(batch.responses[NAME].measured.known[i]),
            bool(batch.responses[NAME].augmented.known[i]),
        )
        given = batch.responses[NAME]
        source = given.augmented if reached and not observed else given.measured
        assert torch.equal(read[i], source.values[i]), i


@pytest.mark.parametrize("augmentation", ["zero", "random"])
def test_zeros_or_noise_stand_in_for_every_missing_profile(
    batch: Batch, augmentation: Literal["zero", "random"]
) -> None:
    torch.manual_seed(5)
    response = _respond(batch, augmentation)
    torch.manual_seed(5)
    drawn = torch.rand(SIZE, 7) if augmentation == "random" else torch.zeros(SIZE, 7)
    observed = batch.responses[NAME].measured.known
    assert bool(response.augmented.known.all())
    assert torch.equal(response.held_out.known, observed)
    for i in range(SIZE):
        assert torch.equal(
            response.augmented.values[i],
            batch.responses[NAME].measured.values[i] if observed[i] else drawn[i],
        ), i
        assert torch.equal(
            response.held_out.values[i], drawn[i] if observed[i] else batch.responses[NAME].measured.values[i]
        ), i


def test_the_mean_stands_in_for_every_missing_profile(batch: Batch) -> None:
    """Whatever neighbours say: a row that was not measured holds the column mean, and so does its account."""
    given = batch.responses[NAME]
    observed = given.measured.known
    mean = torch.arange(7.0)
    measured = torch.where(observed[:, None], given.measured.values, mean)
    filled = Response(
        Account(measured, observed),
        given.augmented,
        Account(mean.expand(SIZE, 7), torch.zeros_like(observed)),  # as it is without any filling
    )
    response = project_response(nn.Identity(), filled, "mean")
    assert bool(response.augmented.known.all())
    assert torch.equal(response.augmented.values, measured)
    assert torch.equal(response.held_out.known, observed)
    assert torch.equal(response.held_out.values, mean.expand(SIZE, 7))
