"""A step of pretraining, from drawing the batch to the updated weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from benchmarks.speed.limits import Products
from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure, Variant, compare, release_memory
from benchmarks.speed.reference.context import DenseContext, dense_targets
from benchmarks.speed.reference.features import molecule_graph
from benchmarks.speed.reference.methods import ReferenceCHMR, ReferenceInfoAlign, reference_batch
from benchmarks.speed.settings import Settings
from numpy.typing import NDArray
from rdkit import rdBase
from torch import Tensor

from cytomol.methods import Method, methods
from cytomol.methods.config import CHMRConfig, InfoAlignConfig, MethodConfig
from cytomol.training.dataset.data import PretrainData
from cytomol.training.dataset.loader import BatchLoader

_STEPS = {1024: 3, 256: 8}  # steps of one timed run


def run(material: Material, settings: Settings) -> list[Figure]:
    """Measure both methods at two sizes of batch."""
    figures = _measure("InfoAlign", material, material.infoalign, InfoAlignConfig.preset("authors"), settings)
    del material.__dict__["infoalign"]
    release_memory()
    return figures + _measure("CHMR", material, material.chmr, CHMRConfig.preset("authors"), settings)


def _measure(
    name: str, material: Material, data: PretrainData, config: MethodConfig, settings: Settings
) -> list[Figure]:
    torch.manual_seed(0)
    # The published encoder always reads graphs; the widths of the decoders are the corpus's.
    method = methods[name.lower()].from_config(config, data.dimensions)
    context = DenseContext.from_rows(data.graph, dense_targets(data))
    figures = []
    for size, steps in _STEPS.items():
        rows = _parts(data, size, steps)
        published = _Published(method, material, data, context, rows)
        products = Products(published.first_step)
        note = f"its matrix products alone, {products.flops / size / 1e6:.0f} MFLOP a molecule"
        amount = size * steps
        variants = [
            Variant("cytomol", _ours(method, data, rows), amount),
            Variant("cytomol, bf16", _ours(method, data, rows, torch.bfloat16), amount),
            Variant("reference", published, amount),
            Variant("limit", lambda p=products, k=steps: [p() for _ in range(k)], amount, note),
        ]
        figures += compare(
            f"{name} pretraining step, batch {size}",
            "mol/s",
            variants,
            repeats=settings.repeats,
            threads=settings.threads,
        )
        del published, products, variants
        release_memory()
    return figures


def _parts(data: PretrainData, size: int, steps: int) -> list[NDArray[np.int64]]:
    rows = np.random.default_rng(1).permutation(data.train)
    if len(rows) < size:
        rows = np.resize(rows, size)
    return [np.resize(np.roll(rows, -k * size), size) for k in range(steps)]


def _ours(
    method: Method,
    data: PretrainData,
    parts: list[NDArray[np.int64]],
    arithmetic: torch.dtype | None = None,
) -> Callable[[], None]:
    import copy

    module = copy.deepcopy(method).train()
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-5, fused=True)

    def work() -> None:
        for batch in BatchLoader(data, parts, seed=0, epoch=0):
            with torch.autocast("cpu", arithmetic, enabled=arithmetic is not None):
                loss = module(batch).loss
            _update(loss, optimizer)

    return work


def _update(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


class _Published:
    """The published path over the same molecules: objects collated and targets looked up in every step."""

    def __init__(
        self,
        method: Method,
        material: Material,
        data: PretrainData,
        context: DenseContext,
        parts: list[NDArray[np.int64]],
    ) -> None:
        self.data, self.context, self.parts = data, context, parts
        smiles, wanted = material.corpus.smiles, np.unique(np.concatenate(parts))
        block = rdBase.BlockLogs()
        self.molecules: Any = {row: molecule_graph(smiles[row]) for row in wanted}
        del block
        self.module: Any = (
            ReferenceCHMR(method) if hasattr(method, "profiles") else ReferenceInfoAlign(method)
        ).train()
        self.optimizer = torch.optim.Adam(self.module.parameters(), lr=1e-5)

    def _step(self, part: NDArray[np.int64]) -> None:
        walk = self.context.walk(torch.from_numpy(part), self.data.walk_length)
        objects, targets = reference_batch(self.molecules, self.context, part, walk)
        if isinstance(self.module, ReferenceCHMR):
            batch = self._profiles(part)
            loss = self.module.step(objects, batch, targets)
        else:
            loss = self.module(objects, targets)
        _update(loss, self.optimizer)

    def _profiles(self, part: NDArray[np.int64]) -> Any:
        views = self.data.builder.build(self.data.store, part)
        return self.data.with_profiles(views, part)

    def first_step(self) -> None:
        """Take one step."""
        self._step(self.parts[0])

    def __call__(self) -> None:
        """Take all steps."""
        for part in self.parts:
            self._step(part)
