"""Whether the device computes what the host computes: encoder, losses, gradients, batches."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any
from unittest import mock

import numpy as np
import torch
from benchmarks.gpu.machine import arithmetic, device_rows
from benchmarks.gpu.material import Material
from benchmarks.gpu.plan import METHODS, Clock, Settings
from benchmarks.gpu.resident import batch_row, synchronisation_row
from benchmarks.gpu.rows import Row, Table, number
from torch import Tensor

from cytomol.methods import Method
from cytomol.nn import encoder
from cytomol.nn.batch import Batch
from cytomol.nn.bottleneck import Bottleneck

__all__ = ["TOLERANCE", "compared", "run", "watched"]

TOLERANCE = 1e-4
"""Largest relative difference in float32 that counts as equal."""

_NOTHING = 1e-9  # a gradient below this share of the largest, in float64, is zero but for rounding
_KINDS = ("encoder output", "loss terms", "gradients")

Watched = dict[str, dict[str, Tensor]]
"""Tensors by name, for each kind of :data:`_KINDS`, and the codes chosen."""


def run(settings: Settings, table: Table, clock: Clock) -> None:
    """Write the rows that are missing."""
    device_rows(settings, table)
    material = Material(settings)
    for method in METHODS:
        if not clock.over:
            _compare(method, material, table)
    for method in METHODS:
        for make in (batch_row, synchronisation_row):
            if not clock.over:
                make(method, material, table)


def _compare(method: str, material: Material, table: Table) -> None:
    """Compare one method in each arithmetic."""
    settings = material.settings
    template = Row("equality", "gradients", method, str(settings.sizes.molecules))
    wanted = [replace(template, precision=p, what=k) for p in ("float32", "tf32", "bf16") for k in _KINDS]
    if all(table.has(row) for row in wanted):
        return
    data = material.data(method)
    rows = material.rows(method, settings.sizes.molecules)
    batch = data.batch(rows, np.random.default_rng(0))
    module = material.build(method, dropout=False)
    exact = _exact(module, batch)
    host = watched(module, batch, "cpu")
    largest = max(float(g.norm()) for g in exact["gradients"].values())
    empty = {name for name, g in exact["gradients"].items() if float(g.norm()) <= _NOTHING * largest}

    for kind in _KINDS:
        error, worst = compared(host[kind], exact[kind], empty)
        note = f"the host in float32 against float64; worst: {worst}"
        table.add(
            replace(template, what=f"{kind}, host alone", precision="float32", value=number(error), note=note)
        )
    for precision in ("float32", "tf32", "bf16"):
        found = watched(module, batch, settings.device, precision, plain=True)
        for kind in _KINDS:
            error, worst = compared(found[kind], host[kind], empty)
            note = f"worst: {worst}"
            if precision == "float32":
                note = f"within {TOLERANCE:g}: {'yes' if error <= TOLERANCE else 'no'}; {note}"
            if kind == "gradients" and empty:
                rest = max(float(found[kind][name].norm()) for name in empty) / largest
                note += (
                    f"; left out: {len(empty)} tensors whose gradient is zero in float64,"
                    f" here at most {rest:.1e} of the largest"
                )
            if kind == "loss terms" and host["codes"]:
                note += f"; {_other_codes(found, host)}"
            table.add(replace(template, what=kind, precision=precision, value=number(error), note=note))


def _other_codes(found: Watched, host: Watched) -> str:
    """Say how many rows chose another code: a choice between near equals makes a visible difference."""
    there, here = found["codes"]["chosen"], host["codes"]["chosen"]
    if there.shape != here.shape:
        return "other rows are quantized"
    return f"{int((there != here).any(dim=1).sum())} of {len(here)} rows choose another code"


def compared(
    found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], without: set[str]
) -> tuple[float, str]:
    """Return the largest relative difference, norm of the difference by norm, and the tensor it is of."""
    if found.keys() != wanted.keys():
        return float("inf"), f"other tensors: {sorted(found.keys() ^ wanted.keys())[:3]}"
    errors = {
        name: float((found[name] - tensor).norm()) / max(float(tensor.norm()), 1e-300)
        for name, tensor in wanted.items()
        if name not in without
    }
    worst = max(errors, key=lambda name: np.nan_to_num(errors[name], nan=np.inf))
    return errors[worst], worst


def watched(
    method: Method, batch: Batch, device: str, precision: str = "float32", *, plain: bool = False
) -> Watched:
    """Take a step without an update and return what came of it, as float64 on the host.

    Parameters
    ----------
    method
        Weights to start from; it is left as it is.
    batch
        The batch, anywhere.
    device
        Where to compute.
    precision
        "float32", "tf32", "bf16"; "float64" is for the host alone.
    plain
        Leave the fused functions of a CPU out: other devices have none.
    """
    module = copy.deepcopy(method).to(device).train()
    seen: Watched = {"codes": {}}

    def keep_encoding(_module: Any, _inputs: Any, output: Tensor) -> None:
        seen["encoder output"] = {"encoder output": _home(output)}

    def keep_codes(_module: Any, _inputs: Any, output: Any) -> None:
        seen["codes"] = {"chosen": output.chosen.detach().cpu()}

    assert module.encoder is not None
    module.encoder.register_forward_hook(keep_encoding)
    if isinstance(book := getattr(module, "quantizer", None), torch.nn.Module):
        book.register_forward_hook(keep_codes)
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(Bottleneck, "sample", staticmethod(_fixed_sample)))
        if plain:
            stack.enter_context(mock.patch.object(encoder, "fits", return_value=False))
        if precision == "float64":
            stack.enter_context(_doubled())
            module, batch = module.double(), _double(batch)
        else:
            stack.enter_context(arithmetic(precision, device))
        output = module(batch.to(device))
        output.loss.backward()
    seen["loss terms"] = {"loss": _home(output.loss), **{name: _home(t) for name, t in output.terms.items()}}
    seen["gradients"] = {name: _home(p.grad) for name, p in module.named_parameters() if p.grad is not None}
    return seen


def _fixed_sample(mean: Tensor, deviation: Tensor) -> Tensor:
    """Stand in for the bottleneck's sample with the same noise on every device."""
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(0))
    return mean + deviation * noise.to(mean)


def _exact(method: Method, batch: Batch) -> Watched:
    """Return what the host computes in float64."""
    return watched(method, batch, "cpu", "float64", plain=True)


@contextmanager
def _doubled() -> Iterator[None]:
    """Let what asks for float32 have float64."""
    with mock.patch.object(torch.Tensor, "float", torch.Tensor.double):
        torch.set_default_dtype(torch.float64)
        try:
            yield
        finally:
            torch.set_default_dtype(torch.float32)


def _double(value: Any) -> Any:
    """Return the same data with every float32 in float64."""
    if isinstance(value, Tensor):
        return value.double() if value.is_floating_point() else value
    if isinstance(value, dict):
        return {key: _double(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _double(getattr(value, f.name)) for f in fields(value)})
    return value


def _home(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().double()
