"""The device: its name, what is in it, and the best that it does."""

from __future__ import annotations

import platform
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from benchmarks.gpu.plan import Settings
from benchmarks.gpu.rows import Row, Table, number

import cytomol

__all__ = [
    "PRECISIONS",
    "arithmetic",
    "copy_rate",
    "device_name",
    "device_rows",
    "products_in",
    "synchronize",
    "timed",
]

PRECISIONS = ("float32", "tf32", "bf16")


def device_name(device: str) -> str:
    """Return what the device calls itself."""
    return torch.cuda.get_device_name() if device == "cuda" else "CPU"


def synchronize(device: str) -> None:
    """Wait until the device has done what it was told."""
    if device == "cuda":
        torch.cuda.synchronize()


@contextmanager
def products_in(precision: str) -> Iterator[None]:
    """Multiply float32 to the letter for "float32", else in TF32."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest" if precision == "float32" else "high")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextmanager
def arithmetic(precision: str, device: str) -> Iterator[None]:
    """Compute in "float32" to the letter, in "tf32", or in "bf16" where autocast says so."""
    with products_in(precision), torch.autocast(device, torch.bfloat16, enabled=precision == "bf16"):
        yield


def timed(work: Callable[[], Any], device: str, *, seconds: float, repeats: int) -> float:
    """Return the median seconds of a run; the device is waited for around a few runs at a time."""
    for _ in range(2 if repeats > 1 else 1):
        work()
    single = _block(work, device, 1)
    runs = max(1, min(10, int(seconds / 20 / max(single, 1e-9))))
    found: list[float] = []
    began = time.perf_counter()
    while len(found) < repeats or time.perf_counter() - began < seconds:
        found.append(_block(work, device, runs))
    return statistics.median(found)


def _block(work: Callable[[], Any], device: str, runs: int) -> float:
    synchronize(device)
    began = time.perf_counter()
    for _ in range(runs):
        work()
    synchronize(device)
    return (time.perf_counter() - began) / runs


@cache
def copy_rate(device: str, nbytes: int) -> float:
    """Return how many bytes a second a copy on the device reads and writes."""
    source = torch.zeros(nbytes, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * nbytes / timed(lambda: target.copy_(source), device, seconds=0.2, repeats=3)


def device_rows(settings: Settings, table: Table) -> None:
    """Write what the device is, and the versions."""
    device, rows = settings.device, []
    if device == "cuda":
        facts = torch.cuda.get_device_properties(0)
        rows += [
            Row("device", "memory", value=number(facts.total_memory / 2**30), unit="GiB"),
            Row("device", "multiprocessors", value=str(facts.multi_processor_count)),
            Row("device", "driver", note=_driver()),
            Row("device", "CUDA of torch", note=str(torch.version.cuda)),
        ]
    commit = f", commit {settings.commit}" if settings.commit else ""
    rows += [
        Row("device", "name", note=device_name(device)),
        Row("device", "python", note=platform.python_version()),
        Row("device", "torch", note=torch.__version__),
        Row("device", "cytomol", note=f"{cytomol.__version__}{commit}"),
    ]
    for row in rows:
        if not table.has(row):
            table.add(row)
    if not table.has(row := Row("device", "copy, read and written")):
        rate = copy_rate(device, settings.sizes.copied)
        table.add(replace(row, value=number(rate / 1e9), unit="GB/s"))
    for precision in PRECISIONS:
        row = Row("device", "product of square matrices", precision=precision)
        if not table.has(row):
            table.add(_product(row, settings))


def _product(row: Row, settings: Settings) -> Row:
    """Measure a product that is large enough for the device's best."""
    n = 8192 if settings.device == "cuda" else 256
    kind = torch.bfloat16 if row.precision == "bf16" else torch.float32
    left, right = (torch.randn(n, n, dtype=kind, device=settings.device) for _ in range(2))
    with arithmetic(row.precision, settings.device):
        seconds = timed(
            lambda: torch.mm(left, right),
            settings.device,
            seconds=min(0.3, settings.sizes.seconds),
            repeats=settings.sizes.repeats,
        )
    return replace(
        row,
        value=number(2 * n**3 / seconds / 1e12),
        unit="TFLOP/s",
        note=f"{n:,} by {n:,}",
    )


def _driver() -> str:
    if (tool := shutil.which("nvidia-smi")) is None:
        return "not known"
    command = [tool, "--query-gpu=driver_version,power.limit", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "not known"
    return done.stdout.strip().splitlines()[0] if done.stdout.strip() else "not known"
