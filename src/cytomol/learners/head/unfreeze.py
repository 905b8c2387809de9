"""Training of a head together with its backbone: whole, or layer by layer from the last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cytomol.learners.base import Live
from cytomol.learners.feature_scaling import AffineScaler, ColumnScaler
from cytomol.learners.head.fit import Best, FitData, FitResult, OnEpoch, batches, fit_head, make_optimizer
from cytomol.learners.head.named_heads import masked_loss
from cytomol.learners.head.options import HeadOptions
from cytomol.nn.encoder import GraphEncoder

__all__ = ["LiveFeatures", "fit_unfrozen", "layer_groups"]

_EVALUATION_BATCH = 256


def layer_groups(method: nn.Module) -> list[list[nn.Parameter]]:
    """Group a method's parameters from the last layers to the first.

    First what follows the graph encoder (projectors, bottleneck), then the encoder's layers from the
    last, then its embeddings of atoms and bonds. A method without a graph encoder is one group.
    """
    encoder = next((part for part in method.modules() if isinstance(part, GraphEncoder)), None)
    if encoder is None:
        return [list(method.parameters())]
    inside = {id(parameter) for parameter in encoder.parameters()}
    groups = [[p for p in method.parameters() if id(p) not in inside]]
    seen: set[int] = set()
    for depth in reversed(range(len(encoder.layers))):
        parts: list[nn.Module] = [encoder.layers[depth]]
        if depth < len(encoder.virtual_mlps):
            parts.append(encoder.virtual_mlps[depth])
        group = [p for part in parts for p in part.parameters()]
        seen |= {id(p) for p in group}
        groups.append(group)
    groups.append([p for p in encoder.parameters() if id(p) not in seen])
    return [group for group in groups if group]


@dataclass(frozen=True)
class LiveFeatures:
    """Features whose embedding is computed anew from the backbone as it is now.

    Attributes
    ----------
    live
        The embedding.
    scaler
        How it is scaled; None where it is read as it is.
    fixed
        The other blocks, scaled, float32, shape (n, width).
    """

    live: Live
    scaler: ColumnScaler | None
    fixed: Tensor

    @property
    def network(self) -> nn.Module:
        """The backbone's network."""
        return self.live.network

    def __call__(self, rows: Tensor, device: torch.device) -> Tensor:
        """Return the head's input for some rows, shape (B, width), in the order of the blocks."""
        embedding = self.live.embed(rows, device)
        if self.scaler is not None:
            assert isinstance(self.scaler, AffineScaler)
            center, scale = (torch.from_numpy(a).to(device) for a in (self.scaler.center, self.scaler.scale))
            embedding = ((embedding - center) / scale).clamp(-5, 5)
        # "embedding" is the first block wherever it is
        return torch.cat([embedding, self.fixed[rows].to(device)], dim=1)

    @torch.no_grad()
    def predict(self, head: nn.Module, rows: Tensor, device: torch.device) -> Tensor:
        """Return the head's output for some rows in evaluation mode, shape (rows, tasks)."""
        self.network.eval()
        head.eval()
        return torch.cat(
            [
                head(self(part, device)).cpu()
                for part in torch.tensor_split(rows, max(1, -(-len(rows) // _EVALUATION_BATCH)))
            ]
        )


def fit_unfrozen(
    head: nn.Module,
    live: LiveFeatures,
    data: FitData,
    config: HeadOptions,
    *,
    device: torch.device,
    on_epoch: OnEpoch | None = None,
) -> FitResult:
    """Train head and backbone together, in place; the best epoch's weights of both are restored.

    With ``unfreeze="staged"`` the head is trained first on the frozen backbone; then the backbone's
    groups are freed one after the other, ``stage_epochs`` apart, the last layers first, and the best
    of all epochs (those of the head alone too) is kept.
    """
    method = live.network
    method.to(device)
    modules = [head, method]
    best = Best(config.patience)
    history: list[tuple[float, float]] = []
    start = 0
    if config.unfreeze == "staged":
        alone = fit_head(head, data, config, device=device, on_epoch=on_epoch)
        history += alone.history
        start = len(history)
        best.update(alone.best_epoch - 1, alone.best_score, modules)
    head.to(device)
    stages = _stages(layer_groups(method), config)
    optimizer: torch.optim.Optimizer | None = None
    try:
        for epoch in range(start, start + config.epochs):
            freed = next(stages, None)
            if freed is not None:
                optimizer = _free(head, method, freed, config)
            assert optimizer is not None
            loss = _epoch(head, live, data, optimizer, batch_size=config.batch_size, device=device)
            score = data.validate(live.predict(head, data.valid, device), config.select_by)
            history.append((loss, score))
            if on_epoch is not None:
                on_epoch(epoch + 1, start + config.epochs, loss, score)
            if best.update(epoch, score, modules) and epoch - start >= config.patience:
                break
    finally:
        for parameter in method.parameters():
            parameter.requires_grad_(True)
    best.restore(modules)
    for module in modules:
        module.eval()
    return FitResult(len(history), best.epoch + 1, best.score, history)


def _stages(groups: Sequence[list[nn.Parameter]], config: HeadOptions) -> Iterator[list[nn.Parameter] | None]:
    """Give, per epoch, the parameters of the backbone that are free from then on, or None for no change."""
    if config.unfreeze == "all":
        yield [parameter for group in groups for parameter in group]
        return
    free: list[nn.Parameter] = []
    for group in groups:
        free = [*free, *group]
        yield free
        for _ in range(config.stage_epochs - 1):
            yield None


def _free(
    head: nn.Module, method: nn.Module, free: list[nn.Parameter], config: HeadOptions
) -> torch.optim.Optimizer:
    chosen = {id(parameter) for parameter in free}
    for parameter in method.parameters():
        parameter.requires_grad_(id(parameter) in chosen)
    return make_optimizer(
        [{"params": list(head.parameters())}, {"params": free, "lr": config.backbone_lr}], config
    )


def _epoch(
    head: nn.Module,
    live: LiveFeatures,
    data: FitData,
    optimizer: torch.optim.Optimizer,
    *,
    batch_size: int,
    device: torch.device,
) -> float:
    live.network.train()
    head.train()
    total = 0.0
    for rows in batches(data.train, batch_size):
        loss = masked_loss(
            head(live(rows, device)),
            data.targets[rows].to(device),
            data.kind,
            bounds=data.bounds_of(rows, device),
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(data.train)
