"""Interleaved timing: every variant of a row in turn, again and again, so that noise hits all alike."""

from __future__ import annotations

import ctypes
import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Figure", "Variant", "compare", "machine"]


@dataclass(frozen=True)
class Variant:
    """One way to do what a row is about.

    Attributes
    ----------
    name
        "cytomol", "reference", "limit", or the name of a peer or of a variant of ours.
    run
        Does it once.
    amount
        What one run achieves, in the unit of the row before "/s"; for a row in seconds, 1.
    note
        What the reader must know.
    """

    name: str
    run: Callable[[], Any]
    amount: float
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A measured variant of a row; median and quartiles over the repeats."""

    row: str
    variant: str
    threads: int
    unit: str
    median: float
    low: float
    high: float
    repeats: int
    note: str = ""


def compare(
    row: str, unit: str, variants: Sequence[Variant], *, repeats: int, threads: int, warm: int = 1
) -> list[Figure]:
    """Run every variant ``warm`` times unmeasured, then all in turn ``repeats`` times.

    A unit that ends in "/s" is a rate, ``amount`` by the seconds of a run; "s" are the seconds.
    """
    rates: dict[str, list[float]] = {variant.name: [] for variant in variants}
    for variant in variants:
        for _ in range(warm):
            variant.run()
    for repeat in range(repeats):
        for variant in variants if repeat % 2 == 0 else list(reversed(variants)):
            gc.collect()
            began = time.perf_counter()
            variant.run()
            seconds = time.perf_counter() - began
            rates[variant.name].append(variant.amount / seconds if unit.endswith("/s") else seconds)
    figures = [
        Figure(row, v.name, threads, unit, *_spread(rates[v.name]), repeats=repeats, note=v.note)
        for v in variants
    ]
    show(figures)
    return figures


def _spread(values: list[float]) -> tuple[float, float, float]:
    """Return median and quartiles."""
    if len(values) < 2:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return middle, low, high


def show(figures: Sequence[Figure]) -> None:
    """Print figures as they come."""
    for f in figures:
        print(
            f"{f.row:44s} {f.variant:28s} {f.median:12,.4g} {f.unit}  [{f.low:,.4g} to {f.high:,.4g}]",
            file=sys.stderr,
            flush=True,
        )


def machine() -> str:
    """Return processor, cores and the versions that matter."""
    import numpy
    import rdkit
    import torch

    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(errors="replace").splitlines() if facts.exists() else []
    names = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    processor = names.get("model name", platform.processor() or platform.machine())
    if "family" in names.get("cpu family", "") or {"cpu family", "model"} <= set(names):
        processor += f" (family {names['cpu family']}, model {names['model']})"
    extra = [
        flag for flag in ("avx512f", "avx512_bf16", "amx_bf16") if flag in names.get("flags", "").split()
    ]
    return (
        f"{processor}; {' '.join(extra)}; torch {torch.__version__.partition('+')[0]}, "
        f"RDKit {rdkit.__version__}, NumPy {numpy.__version__}, Python {platform.python_version()}"
    )


def release_memory() -> None:
    """Return free pages between rows, where the C library can."""
    gc.collect()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
