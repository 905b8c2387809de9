"""One modality of a batch in the common space: what was measured, and what neighbours say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from cytomol.nn.batch import Batch

__all__ = ["Response", "project_response"]

Alignment = Literal["paper", "held_out"]


@dataclass(frozen=True)
class Response:
    """Projections of one modality, shape (B, width), and the rows they stand for, bool, shape (B,).

    Attributes
    ----------
    measured, observed
        p_c, and where it was measured; elsewhere p_c projects the placeholder.
    augmented, reached
        p_c,aug: measured rows, else what the neighbours say, else the placeholder; and where it is
        one of the first two.
    held_out, held
        For observed rows, what the neighbours say; and where they say anything.
    """

    measured: Tensor
    observed: Tensor
    augmented: Tensor
    reached: Tensor
    held_out: Tensor
    held: Tensor

    def best(self, missing: Literal["augmented", "placeholder"]) -> Tensor:
        """Return what a decoder reads, shape (B, width): p_c, or p_c,aug for rows not measured."""
        if missing == "placeholder":
            return self.measured
        return torch.where(self.observed[:, None], self.measured, self.augmented)

    def contrasted(self, alignment: Alignment, augmented_weight: float) -> tuple[Tensor, Tensor | None]:
        """Return what molecules are contrasted with, shape (B, width), and its weights, shape (B,).

        ``paper``: p_c of all rows, weighing alike (None). ``held_out``: measured rows and, down-weighted,
        augmented ones; the others weigh 0.
        """
        if alignment == "paper":
            return self.measured, None
        own = self.observed.float()
        if augmented_weight == 0:
            return self.measured, own
        return self.best("augmented"), own + augmented_weight * (self.reached.float() - own)

    def accounts(self, alignment: Alignment) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return two accounts of the same rows, shape (B, width) each, and the rows that have both.

        ``paper``: p_c and p_c,aug of all rows (None). ``held_out``: what was measured, and what the
        neighbours say without having seen it; bool, shape (B,).
        """
        if alignment == "paper":
            return self.measured, self.augmented, None
        return self.measured, self.held_out, self.observed & self.held

    def quantized(self, alignment: Alignment) -> tuple[Tensor, Tensor | None]:
        """Return p_c and the rows that the code book sees: all (None; paper), or those measured."""
        return self.measured, None if alignment == "paper" else self.observed


def project_response(projector: nn.Module, batch: Batch, name: str, augmentation: str) -> Response:
    """Project modality ``name`` of a batch.

    Parameters
    ----------
    projector
        (n, width of the modality) -> (n, width); the same for all accounts of a profile.
    augmentation
        What stands in for a missing profile: "zero", "random" (uniform noise), or else what the batch brings.
    """
    profile, observed = batch.profiles[name], batch.observed[name]
    nothing = torch.zeros_like(observed)
    if augmentation in {"zero", "random"}:
        missing = torch.zeros_like(profile) if augmentation == "zero" else torch.rand_like(profile)
        reached, held = torch.ones_like(observed), observed
        augmented, without = torch.where(observed[:, None], profile, missing), missing
    else:
        reached, held = batch.augmented_mask.get(name, nothing), batch.held_out_mask.get(name, nothing)
        # Measured rows too: the batch brings their own values where propagation restores them.
        augmented = torch.where(reached[:, None], batch.augmented.get(name, profile), profile)
        without = batch.held_out.get(name, profile)
    held_out = torch.where(held[:, None], without, profile)
    p_measured, p_augmented, p_held_out = projector(torch.cat([profile, augmented, held_out])).chunk(3)
    return Response(p_measured, observed, p_augmented, reached | observed, p_held_out, held)
