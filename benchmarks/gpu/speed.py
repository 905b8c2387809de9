"""How fast a step and the frozen encoder are, and how far from what the card does at best."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.gpu.machine import copy_rate, products_in, synchronize, timed
from benchmarks.gpu.material import Material
from benchmarks.gpu.plan import METHODS, Clock, Measured, Settings, measured
from benchmarks.gpu.rows import Row, Table, number
from benchmarks.gpu.step import Step, compile_layers, frozen
from benchmarks.gpu.sums import sum_rows
from benchmarks.gpu.traffic import bytes_touched
from benchmarks.speed.limits import Products

from cytomol.methods import Method
from cytomol.nn.choice import plain_operations
from cytomol.training.dataset.resident import ResidentData

__all__ = ["busy_seconds", "covered", "row_of", "run"]

_DRAWS = 4  # batches that are taken in turn


def row_of(case: Measured) -> Row:
    """Return the row of a case, without its figure."""
    return Row("speed", case.what, case.method, str(case.batch), case.precision, case.mode)


def run(settings: Settings, table: Table, clock: Clock) -> None:
    """Measure the rows that are missing, the most important first."""
    bench = _Bench(Material(settings), table)
    cases = [case for case in measured(settings.sizes) if not table.has(row_of(case))]
    main = [case for case in cases if case.mode == "eager" and case.batch in settings.sizes.batches[:2]]
    first = [case for case in main if case.precision != "float32"]
    for case in first:
        if clock.over:
            return
        bench.measure(case)
    for method in METHODS:
        if not clock.over:
            bench.draws_row(method)
    sum_rows(bench.material, table, clock)
    for case in cases:
        if clock.over:
            return
        if case not in first:
            bench.measure(case)


@dataclass
class _Bench:
    """Measures one row after the other.

    Attributes
    ----------
    material
        What they work on.
    table
        Where they are written.
    """

    material: Material
    table: Table

    def __post_init__(self) -> None:
        self.settings = self.material.settings
        self.device = self.settings.device
        self._resident: dict[str, ResidentData] = {}
        self._limits: dict[tuple[str, str, int, str], tuple[float, float, float]] = {}

    def measure(self, case: Measured) -> None:
        """Write the row of a case; what goes wrong becomes its note."""
        row = row_of(case)
        try:
            self.table.add(self._measured(case, row))
        except Exception as error:
            lines = str(error).strip().splitlines() or [""]
            self.table.add(replace(row, note=f"error: {type(error).__name__}: {lines[0][:300]}"))
            if "CUDA error" in str(error):
                raise  # nothing works in this process any more
        finally:
            if self.device == "cuda":
                with contextlib.suppress(RuntimeError):
                    torch.cuda.empty_cache()

    def draws_row(self, method: str) -> None:
        """Measure what the host does for a batch that is made on the device."""
        size = self.settings.sizes.batches[0]
        row = Row("speed", "draw on the host", method, str(size))
        if self.table.has(row):
            return
        data, rows = self.material.data(method), self.material.rows(method, size)
        rng, sizes = np.random.default_rng(0), self.settings.sizes
        draw = _seconds(lambda: data.draw(rows, rng), "cpu", sizes.seconds / 2, sizes.repeats)
        whole = _seconds(lambda: data.batch(rows, rng), "cpu", sizes.seconds / 2, sizes.repeats)
        note = f"a whole batch on the host: {number(size / whole)} mol/s"
        self.table.add(replace(row, value=number(size / draw), unit="mol/s", note=note))

    def resident(self, method: str) -> ResidentData:
        """Return what batches are made of on the device."""
        if method not in self._resident:
            self._resident[method] = ResidentData(self.material.data(method), self.device)
        return self._resident[method]

    def _measured(self, case: Measured, row: Row) -> Row:
        method = self.material.build(case.method)
        way: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        notes = []
        if case.mode == "compiled":
            assert method.encoder is not None
            torch.compiler.reset()
            compile_layers(method.encoder, self.settings.sizes.backend)
            if self.device == "cpu":  # where the fused functions never call a layer
                way = plain_operations()
        with way, products_in(case.precision):
            work = self._work(case, method)
            began = time.perf_counter()
            work()
            synchronize(self.device)
            if case.mode == "compiled":
                notes.append(f"first run, compiled in it: {time.perf_counter() - began:.1f} s")
            if self.device == "cuda":
                torch.cuda.reset_peak_memory_stats()
            lies = self._megabytes(torch.cuda.memory_allocated)
            seconds = _seconds(work, self.device, self.settings.sizes.seconds, self.settings.sizes.repeats)
            peak = self._megabytes(torch.cuda.max_memory_allocated)
            if peak is not None and lies is not None:
                notes.append(f"{lies:,.0f} MB of the peak lie there between runs")
            busy = self._busy(work, notes)
            products, touched, flops = self._limit(case)
        copying = touched / copy_rate(self.device, self.settings.sizes.copied)
        notes.append(
            f"{1e3 * seconds:.4g} ms; {flops / case.batch / 1e6:.0f} MFLOP and"
            f" {touched / case.batch / 1e6:.3g} MB a molecule"
        )
        if case.mode == "compiled":
            notes.append("products and bytes are those of the eager run")
        return replace(
            row,
            value=number(case.batch / seconds),
            unit="mol/s",
            share_of_products=number(products / seconds, 3),
            share_of_copy=number(copying / seconds, 3),
            idle="" if busy is None else number(max(0.0, 1 - busy / seconds), 3),
            peak_mb=number(peak, 5),
            note="; ".join(notes),
        )

    def _busy(self, work: Callable[[], Any], notes: list[str]) -> float | None:
        """Return the busy seconds of a run; a profiler that fails costs this figure alone."""
        if self.device != "cuda":
            return None
        try:
            busy = busy_seconds(work, self.settings.work)
        except (RuntimeError, ValueError, KeyError, OSError) as error:
            notes.append(f"the profiler failed: {error}"[:200])
            return None
        if busy is None:
            notes.append("the profiler saw nothing")
        return busy

    def _work(self, case: Measured, method: Method) -> Callable[[], None]:
        resident, rng = self.resident(case.method), np.random.default_rng(1)
        data = self.material.data(case.method)
        draws = [data.draw(self.material.rows(case.method, case.batch, number=k), rng) for k in range(_DRAWS)]
        if case.what == "step":
            return Step(method, resident, draws, case.precision, self.device)
        network, graph = method.encoder, resident.batch(draws[0]).graph
        assert network is not None
        assert graph is not None
        return frozen(network.to(self.device).eval(), graph, case.precision, self.device)

    def _limit(self, case: Measured) -> tuple[float, float, float]:
        """Return seconds of the products alone, bytes touched, and floating-point operations of a run."""
        key = (case.what, case.method, case.batch, case.precision)
        if key not in self._limits:
            work = self._work(case, self.material.build(case.method))
            work()
            products, touched = Products(work), float(bytes_touched(work))
            seconds = _seconds(
                products, self.device, min(0.3, self.settings.sizes.seconds), self.settings.sizes.repeats
            )
            self._limits[key] = seconds, touched, products.flops
        return self._limits[key]

    def _megabytes(self, ask: Callable[[], int]) -> float | None:
        return ask() / 2**20 if self.device == "cuda" else None


def _seconds(work: Callable[[], Any], device: str, seconds: float, repeats: int) -> float:
    return timed(work, device, seconds=seconds, repeats=repeats)


def busy_seconds(work: Callable[[], Any], folder: Path) -> float | None:
    """Return the seconds of one run in which the device does something; None if the profiler saw nothing."""
    from torch.profiler import ProfilerActivity, profile

    path = folder / "trace.json"
    with profile(activities=[ProfilerActivity.CUDA]) as watched:
        work()
        torch.cuda.synchronize()
    watched.export_chrome_trace(str(path))
    events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    spans = [
        (event["ts"], event["ts"] + event["dur"])
        for event in events
        if event.get("cat") in {"kernel", "gpu_memcpy", "gpu_memset"} and "dur" in event
    ]
    return covered(spans) / 1e6 if spans else None


def covered(spans: list[tuple[float, float]]) -> float:
    """Return the length of the union of intervals."""
    length, end = 0.0, -np.inf
    for first, last in sorted(spans):
        if last > end:
            length += last - max(first, end)
            end = last
    return float(length)
