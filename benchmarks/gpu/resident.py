"""Batches that are made on the device: whether they are the host's, and whether a step waits for the host."""

from __future__ import annotations

import linecache
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.gpu.material import Material
from benchmarks.gpu.rows import Row, Table, number
from benchmarks.gpu.step import Step
from torch import Tensor

from cytomol.nn.batch import Batch, Response, TargetSums
from cytomol.training.dataset.resident import ResidentData

__all__ = ["batch_row", "differences", "synchronisation_row"]

_TOLERANCE = 1e-6
_STEPS = 3


def batch_row(method: str, material: Material, table: Table) -> None:
    """Compare a batch that is made on the device with the host's."""
    size, device = material.settings.sizes.molecules, material.settings.device
    row = Row("equality", "batch made on the device", method, str(size))
    if table.has(row):
        return
    data, rows = material.data(method), material.rows(method, size)
    resident = ResidentData(data, device)
    here = data.batch(rows, np.random.default_rng(3))
    there = resident.batch(data.draw(rows, np.random.default_rng(3))).to("cpu")
    worst = dict(differences(there, here))
    name = max(worst, key=lambda key: worst[key])
    exact = {key: error for key, error in worst.items() if not key.startswith("targets")}
    equal = max(exact.values()) == 0 and worst[name] <= _TOLERANCE
    note = (
        f"equal: {'yes' if equal else 'no'} (views, graphs and profiles exactly, sums within {_TOLERANCE:g});"
        f" {len(worst)} tensors, worst: {name}"
    )
    table.add(replace(row, value=number(worst[name]), note=note))


def differences(found: Batch, wanted: Batch) -> Iterator[tuple[str, float]]:
    """Yield each tensor's name and relative difference; what only the device has is not looked at."""
    if (wanted.graph is None) != (found.graph is None):
        yield "graph", float("inf")
    if wanted.graph is not None and found.graph is not None:
        for part in fields(wanted.graph):
            if isinstance(tensor := getattr(wanted.graph, part.name), Tensor):
                yield f"graph.{part.name}", _difference(getattr(found.graph, part.name), tensor)
    for part in fields(wanted):
        tables = getattr(found, part.name), getattr(wanted, part.name)
        if not isinstance(tables[1], dict):
            continue
        if tables[0].keys() != tables[1].keys():
            yield part.name, float("inf")
            continue
        for name, value in tables[1].items():
            for inner, error in _of_entry(tables[0][name], value, wanted.size):
                yield f"{part.name}.{name}{inner}", error


def _of_entry(found: Any, wanted: Any, size: int) -> Iterator[tuple[str, float]]:
    """Yield the differences within one entry: a tensor, a modality's response, or sums of targets."""
    if isinstance(wanted, Tensor):
        yield "", _difference(found, wanted)
    elif isinstance(wanted, Response):
        for account, kind in product(("measured", "augmented", "held_out"), ("values", "known")):
            pair = [getattr(getattr(each, account), kind) for each in (found, wanted)]
            yield f".{account}.{kind}", _difference(*pair)
    else:
        for moment in ("weight", "value", "square", "entries"):
            pair = [_everywhere(sums, moment, size) for sums in (found, wanted)]
            # one weight for all features of a row, or one each
            yield f".{moment}", _difference(*torch.broadcast_tensors(*pair))


def _everywhere(sums: TargetSums, moment: str, size: int) -> Tensor:
    """Return a moment of all molecules, zeros where there is no target; only their sum where all are."""
    tensor = getattr(sums, moment)
    if tensor is None:
        return torch.zeros(0)
    if tensor.ndim == 0 or sums.rows is None:
        return tensor
    return tensor.new_zeros(size, tensor.shape[1]).index_copy_(0, sums.rows, tensor)


def _difference(found: Tensor, wanted: Tensor) -> float:
    """Return the norm of the difference by the norm."""
    if found.shape != wanted.shape:
        return float("inf")
    difference = (found.double() - wanted.double()).norm()
    return float(difference) / max(float(wanted.double().norm()), 1e-300)


def synchronisation_row(method: str, material: Material, table: Table) -> None:
    """Say where a step of training makes the host wait for the device."""
    settings = material.settings
    row = Row("equality", "host waits within a step", method, str(settings.sizes.molecules), "bf16")
    if table.has(row):
        return
    if settings.device != "cuda":
        table.add(replace(row, note="not measured: there is no device to wait for"))
        return
    data = material.data(method)
    resident = ResidentData(data, settings.device)
    draws = [
        data.draw(material.rows(method, settings.sizes.molecules, number=k), np.random.default_rng(k))
        for k in range(_STEPS)
    ]
    step = Step(material.build(method), resident, draws, "bf16", settings.device)
    for _ in range(_STEPS):
        step()  # what is made once waits, and may
    torch.cuda.synchronize()
    first = _first_wait(step)
    waits = _all_waits(step) if first else Counter()
    value = sum(waits.values()) / _STEPS if first else 0.0
    note = first or "none"
    if waits:
        note += "; all: " + ", ".join(f"{place} x{times}" for place, times in waits.most_common(12))
    table.add(replace(row, value=number(value), unit="waits a step", note=note))


def _first_wait(step: Step) -> str:
    """Return the place of the first wait, "" for none."""
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(_STEPS):
            step()
    except RuntimeError as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if f"{Path('cytomol')}" in f.filename or "benchmarks" in f.filename]
        last = (ours or list(frames))[-1]
        reason = str(error).splitlines()[0]
        return f"first: {_place(last.filename, last.lineno or 0)} ({reason})"
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return ""


def _all_waits(step: Step) -> Counter[str]:
    """Return the places of all waits of some steps, and how often each was met."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            for _ in range(_STEPS):
                step()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return Counter(_place(w.filename, w.lineno) for w in caught if "synchroniz" in str(w.message))


def _place(file: str, line: int) -> str:
    code = linecache.getline(file, line).strip()
    return f"{'/'.join(Path(file).parts[-3:])}:{line} `{code}`"
