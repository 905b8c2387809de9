"""Profiles against loops; noise, plates and holes at the rates that were asked for."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cytomol.corpus.planted.measurements import Noise, measure, observed_rows, plant_readout

QUIET = Noise(replicate=0, batch=0, gain=0, failed=0, missing=0)


def test_readout_equals_loops() -> None:
    rng = np.random.default_rng(0)
    readout = plant_readout(rng, 4, 3, center=2.0, unit=0.5)
    response = rng.normal(size=(5, 4)).astype(np.float32)
    profile = readout(response)
    for i in range(5):
        for column in range(3):
            total = 0.0
            for factor in range(readout.gain.shape[1]):
                push = sum(float(response[i, r] * readout.gain[r, factor]) for r in range(4))
                offset = float(readout.offset[factor])
                moved = math.tanh(push + offset) - math.tanh(offset)
                total += moved * float(readout.loading[factor, column])
            expected = float(readout.center[column]) + float(readout.unit[column]) * total
            assert profile[i, column] == pytest.approx(expected, abs=1e-4)


def test_no_response_gives_the_center() -> None:
    readout = plant_readout(np.random.default_rng(0), 4, 6, center=2.0)
    assert np.allclose(readout(np.zeros((2, 4), dtype=np.float32)), readout.center)


def test_every_column_listens_to_something() -> None:
    readout = plant_readout(np.random.default_rng(0), 4, 200, density=0.05)
    assert np.allclose(np.linalg.norm(readout.loading, axis=0), 1, atol=1e-5)


def test_a_quiet_instrument_measures_the_truth() -> None:
    rng = np.random.default_rng(1)
    readout = plant_readout(rng, 4, 5, center=1.0)
    response = rng.normal(size=(300, 4)).astype(np.float32)
    measured = measure(readout, response, QUIET, rng)
    assert np.allclose(measured.values, readout(response), atol=1e-5)
    assert np.bincount(measured.plate).tolist() == [96, 96, 96, 12]


def test_noise_has_the_size_and_the_tails_asked_for() -> None:
    rng = np.random.default_rng(2)
    readout = plant_readout(rng, 4, 5)
    response = rng.normal(size=(40_000, 4)).astype(np.float32)
    clean = readout(response)
    noise = Noise(replicate=0.7, tail=5.0, batch=0, gain=0, failed=0, missing=0.01)
    values = measure(readout, response, noise, rng).values
    error = (values - clean) / clean[:5000].std(axis=0)
    assert np.nanstd(error) == pytest.approx(0.7, rel=0.05)
    assert np.isnan(values).mean() == pytest.approx(0.01, rel=0.15)
    assert np.nanmax(np.abs(error)) > 6 * 0.7  # a normal error would stay below


def test_plates_shift_all_their_profiles() -> None:
    rng = np.random.default_rng(3)
    readout = plant_readout(rng, 4, 8)
    response = rng.normal(size=(960, 4)).astype(np.float32)
    noise = Noise(replicate=0.0, batch=0.5, gain=0.0, failed=0, missing=0)
    measured = measure(readout, response, noise, rng)
    shift = measured.values - readout(response)
    within = np.mean([shift[measured.plate == plate].std(axis=0).max() for plate in range(10)])
    assert within < 1e-5
    assert (shift / readout(response).std(axis=0)).std() == pytest.approx(0.5, rel=0.25)


def test_failed_wells_stand_out() -> None:
    rng = np.random.default_rng(4)
    readout = plant_readout(rng, 4, 30)
    response = rng.normal(size=(2000, 4)).astype(np.float32)
    noise = Noise(replicate=0.5, tail=30, batch=0, gain=0, failed=0.02, missing=0)
    error = np.linalg.norm(measure(readout, response, noise, rng).values - readout(response), axis=1)
    assert (error > 5 * np.median(error)).mean() == pytest.approx(0.02, abs=0.01)


def test_observed_rows_follow_rate_and_propensity() -> None:
    propensity = np.where(np.arange(20_000) % 2, 2.0, 1.0)
    rows = observed_rows(np.random.default_rng(5), 0.3, propensity)
    assert np.all(np.diff(rows) > 0)
    assert len(rows) / 20_000 == pytest.approx(0.3, abs=0.02)
    assert (rows % 2).mean() == pytest.approx(2 / 3, abs=0.02)


def test_something_is_always_observed() -> None:
    assert len(observed_rows(np.random.default_rng(6), 1e-9, np.ones(10))) == 1
