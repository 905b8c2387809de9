"""Decoded profiles in measured units."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cytomol.cells.impute.decoding import in_measured_units
from cytomol.cells.modality import TrainedModality
from cytomol.corpus.scaling import FeatureScaler
from cytomol.corpus.typical import TypicalProfile


@dataclass
class _Backbone:
    scalers: dict[str, FeatureScaler] = field(default_factory=dict)
    typical: dict[str, TypicalProfile] = field(default_factory=dict)


def _modality(values: np.ndarray) -> TrainedModality:
    scaler = FeatureScaler.fit(values)
    backbone = _Backbone({"m": scaler}, {"m": TypicalProfile.fit(values, scaler)})
    return TrainedModality(backbone, "m")  # type: ignore[arg-type]


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_a_decoder_that_knows_nothing_gives_the_mean(seed: int) -> None:
    values = np.exp(np.random.default_rng(seed).normal(size=(50, 3), scale=2)).astype(np.float32)
    modality = _modality(values)
    blank = modality.typical.scaled[None]
    np.testing.assert_allclose(in_measured_units(modality, blank)[0], values.mean(axis=0), rtol=1e-4)


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_differences_are_those_of_measured_profiles(seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(50, 3)).astype(np.float32)
    modality = _modality(values)
    told = in_measured_units(modality, modality.backbone.scalers["m"].transform(values))
    np.testing.assert_allclose(told - told[0], values - values[0], atol=1e-4)


def test_answers_beyond_the_axis_stay_within_what_was_measured() -> None:
    values = np.linspace(-2, 2, 9, dtype=np.float32)[:, None]
    told = in_measured_units(_modality(values), np.array([[-3.0], [7.0]], np.float32))
    np.testing.assert_allclose(told[:, 0], [-2, 2], atol=1e-4)
