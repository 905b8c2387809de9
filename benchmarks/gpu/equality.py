"""Whether the device computes what the host computes: encoder, losses, gradients, batches."""

from __future__ import annotations

import copy
import statistics
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
from cytomol.nn.batch import Batch
from cytomol.nn.bottleneck import Bottleneck
from cytomol.nn.choice import plain_operations

__all__ = ["TOLERANCE", "errors", "run", "watched"]

TOLERANCE = {"float64": 1e-8, "float32": 1e-4}
"""Largest relative difference that counts as equal."""

_NOTHING = 1e-10  # a tensor below this share of the largest of its kind, in float64, is zero but for rounding
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
    precisions = ("float64", "float32", "tf32", "bf16")
    wanted = [replace(template, precision=p, what=k) for p in precisions for k in _KINDS]
    if all(table.has(row) for row in wanted):
        return
    data = material.data(method)
    rows = material.rows(method, settings.sizes.molecules)
    batch = data.batch(rows, np.random.default_rng(0))
    module = material.build(method, dropout=False)
    exact = watched(module, batch, "cpu", "float64", plain=True)
    host = watched(module, batch, "cpu")
    own = {kind: _told(errors(host[kind], exact[kind]), exact[kind]) for kind in _KINDS}
    for precision in precisions:
        found = watched(module, batch, settings.device, precision, plain=True)
        against = exact if precision == "float64" else host
        for kind in _KINDS:
            told = _told(errors(found[kind], against[kind]), exact[kind])
            largest = max(told.values(), default=float("nan"))
            notes = [_summary(told, found[kind], against[kind])]
            if precision in TOLERANCE:
                limit = TOLERANCE[precision]
                notes.insert(0, f"within {limit:g}: {'yes' if largest <= limit else 'no'}")
            if precision == "float32":
                alone = _summary(own[kind], host[kind], exact[kind])
                notes.append(f"the host's float32 against float64: {alone}")
            if empty := len(against[kind]) - len(told):
                notes.append(f"left out {empty} of {len(against[kind])} that are zero in float64")
            if kind == "loss terms" and host["codes"]:
                notes.append(_other_codes(found, host))
            row = replace(template, what=kind, precision=precision)
            table.add(replace(row, value=number(largest), note="; ".join(notes)))


def _told(differences: Mapping[str, float], exact: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the differences of tensors that are not zero but for rounding, as before a batch norm."""
    sizes = {name: float(tensor.norm()) for name, tensor in exact.items()}
    least = _NOTHING * max(sizes.values(), default=0.0)
    return {name: error for name, error in differences.items() if sizes.get(name, float("inf")) > least}


def _together(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> float:
    """Return the norm of all differences by the norm of all tensors."""
    names = [name for name in wanted if name in found]
    pairs = [torch.cat([table[name].flatten() for name in names]) for table in (found, wanted)]
    return float((pairs[0] - pairs[1]).norm() / pairs[1].norm())


def _summary(told: Mapping[str, float], found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    middle = statistics.median(told.values()) if told else None
    together = number(_together(found, wanted))
    return f"worst {_worst(told)}, median {number(middle)}, all as one {together}"


def _worst(errors: Mapping[str, float]) -> str:
    """Name the tensor with the largest error."""
    if not errors:
        return "none"
    name = max(errors, key=lambda name: np.nan_to_num(errors[name], nan=np.inf))
    return f"{name} {number(errors[name])}"


def _other_codes(found: Watched, host: Watched) -> str:
    """Say how many rows chose another code: a choice between near equals makes a visible difference."""
    there, here = found["codes"]["chosen"], host["codes"]["chosen"]
    if there.shape != here.shape:
        return "other rows are quantized"
    return f"{int((there != here).any(dim=1).sum())} of {len(here)} rows choose another code"


def errors(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, float]:
    """Return the norm of the difference by the norm, tensor by tensor; infinite where one has none."""
    return {
        name: float((found[name] - wanted[name]).norm()) / max(float(wanted[name].norm()), 1e-300)
        if name in found and name in wanted
        else float("inf")
        for name in {**wanted, **found}
    }


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
        "float64", "float32", "tf32" or "bf16".
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
        # devices draw different noise from one seed, and nobody but this comparison wants it given
        stack.enter_context(mock.patch.object(Bottleneck, "sample", staticmethod(_fixed_sample)))
        if plain:
            stack.enter_context(plain_operations())
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
    noise = torch.randn(mean.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float32)
    return mean + deviation * noise.to(mean)


@contextmanager
def _doubled() -> Iterator[None]:
    """Let what asks for float32 have float64.

    Losses and bottleneck ask, so that autocast cannot lower them; no option of theirs would say otherwise.
    """
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
