"""Planted profiles: nonlinear read-outs of the response, with batches, heavy tails and holes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Measured", "Noise", "Readout", "measure", "observed_rows", "plant_readout"]

_FACTORS = 20
_PLATE_SIZE = 96
_REFERENCE = 5_000  # profiles whose noiseless sd sets the size of the noise
_CHUNK = 50_000


@dataclass(frozen=True)
class Readout:
    """How a response turns into one kind of profile.

    ``profile = center + unit * ((tanh(response @ gain + offset) - tanh(offset)) @ loading)``: a cell
    without response has the profile ``center``, and strong responses saturate.

    Attributes
    ----------
    gain
        float32 (response width, factors).
    offset
        float32 (factors,).
    loading
        float32 (factors, width).
    center, unit
        Origin and unit of each column, float32 (width,).
    """

    gain: NDArray[np.float32]
    offset: NDArray[np.float32]
    loading: NDArray[np.float32]
    center: NDArray[np.float32]
    unit: NDArray[np.float32]

    def __call__(self, response: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return noiseless profiles, float32 (n, width), of responses (n, response width)."""
        # einsum, not @: BLAS rounds by its number of threads, and the same seed means the same bytes
        push = np.einsum("nr,rf->nf", response, self.gain)
        factors = np.tanh(push + self.offset) - np.tanh(self.offset)
        shift = np.einsum("nf,fw->nw", factors, self.loading)
        return np.asarray(self.center + self.unit * shift, dtype=np.float32)


@dataclass(frozen=True)
class Noise:
    """What stands between a response and its measured profile.

    Attributes
    ----------
    replicate
        Sd of the noise of a profile, in units of the sd of a noiseless column.
    tail
        Degrees of freedom of its Student t distribution: the fewer, the heavier its tails.
    batch
        Sd of a plate's offset per column, same unit.
    gain
        Sd of the logarithm of a plate's gain.
    failed
        Share of wells that went wrong: their noise is twelvefold.
    missing
        Share of single values lost.
    """

    replicate: float = 0.7
    tail: float = 3.0
    batch: float = 0.4
    gain: float = 0.15
    failed: float = 0.004
    missing: float = 0.002


@dataclass(frozen=True)
class Measured:
    """Measured profiles and the plates they come from.

    Attributes
    ----------
    values
        float32 (profiles, width), NaN where lost.
    plate
        Plate of each profile, int32 (profiles,).
    """

    values: NDArray[np.float32]
    plate: NDArray[np.int32]


def plant_readout(
    rng: np.random.Generator,
    response_width: int,
    width: int,
    *,
    density: float = 1.0,
    center: float = 0.0,
    unit: float = 0.0,
) -> Readout:
    """Return a random read-out.

    Parameters
    ----------
    rng
        Source of randomness.
    response_width, width
        Widths of responses and profiles.
    density
        Share of the factors that a column listens to.
    center
        Sd of the columns' origins.
    unit
        Sd of the logarithm of the columns' units.
    """
    gain = rng.normal(size=(response_width, _FACTORS)) / np.sqrt(response_width) * 2.0
    offset = rng.normal(scale=0.5, size=_FACTORS)
    loading = rng.normal(size=(_FACTORS, width)) * (rng.random((_FACTORS, width)) < density)
    silent = ~loading.any(axis=0)
    loading[rng.integers(_FACTORS, size=int(silent.sum())), np.flatnonzero(silent)] = 1.0
    loading /= np.linalg.norm(loading, axis=0)
    columns = center * rng.normal(size=width), np.exp(unit * rng.normal(size=width))
    return Readout(*(array.astype(np.float32) for array in (gain, offset, loading, *columns)))


def measure(
    readout: Readout, response: NDArray[np.float32], noise: Noise, rng: np.random.Generator
) -> Measured:
    """Return what an instrument reports: a plate's gain and offset, heavy-tailed noise, lost values.

    Parameters
    ----------
    readout
        The instrument.
    response
        Response behind each profile, float32 (profiles, response width).
    noise
        What goes wrong.
    rng
        Source of randomness.
    """
    count, width = len(response), len(readout.unit)
    scale = readout(response[:_REFERENCE]).std(axis=0)
    plates = -(-count // _PLATE_SIZE)
    plate = rng.permutation(np.arange(count, dtype=np.int32) // _PLATE_SIZE)
    offset = rng.normal(scale=noise.batch, size=(plates, width)).astype(np.float32)
    gain = np.exp(rng.normal(scale=noise.gain, size=plates)).astype(np.float32)
    spread = noise.replicate * np.where(rng.random(count) < noise.failed, 12.0, 1.0).astype(np.float32)
    values = np.empty((count, width), dtype=np.float32)
    unit = np.sqrt(noise.tail / (noise.tail - 2)) if noise.tail > 2 else 1.0
    for start in range(0, count, _CHUNK):
        part = slice(start, start + _CHUNK)
        shift = readout(response[part]) - readout.center
        error = (rng.standard_t(noise.tail, size=shift.shape) / unit).astype(np.float32)
        values[part] = readout.center + shift * gain[plate[part], None]
        values[part] += scale * (offset[plate[part]] + spread[part, None] * error)
        values[part][rng.random(shift.shape) < noise.missing] = np.nan
    return Measured(values, plate)


def observed_rows(
    rng: np.random.Generator, rate: float, propensity: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the rows that were measured, sorted, int64: about ``rate`` of all, by ``propensity``.

    Propensity makes what is missing depend on what would have been seen.
    """
    chance = np.clip(rate * propensity / propensity.mean(), 0, 1)
    rows = np.flatnonzero(rng.random(len(chance)) < chance)
    return rows if len(rows) else np.array([int(np.argmax(chance))])
