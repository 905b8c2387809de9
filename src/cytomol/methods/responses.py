"""Which rows of a modality are compared with what, once it is in the common space."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from cytomol.nn.batch import Account, Response
from cytomol.nn.together import drawn

__all__ = ["best", "compared", "contrasted", "project_response", "quantized"]

Alignment = Literal["paper", "held_out"]


def project_response(projector: nn.Module, response: Response, augmentation: str) -> Response:
    """Project all accounts of a modality; where one says nothing, it projects the placeholder.

    Parameters
    ----------
    projector
        (n, width of the modality) -> (n, width); the same for all accounts.
    response
        The modality in a batch.
    augmentation
        What stands in for a missing profile: "zero", "random" (uniform noise), "mean" (the column mean, which
        the batch has in all rows that hold nothing else), or else what the batch brings.
    """
    profile, observed = response.measured.values, response.measured.known
    augmented, held_out = response.augmented, response.held_out
    if augmentation == "mean":
        augmented = Account(profile, torch.ones_like(observed))
        held_out = Account(held_out.values, observed)
    elif augmentation in {"zero", "random"}:
        missing = torch.zeros_like(profile) if augmentation == "zero" else _noise(profile)
        stand_in = torch.where(observed[:, None], profile, missing)
        augmented, held_out = Account(stand_in, torch.ones_like(observed)), Account(missing, observed)
    # Measured rows too: the batch brings their own values where propagation restores them.
    rows = [torch.where(a.known[:, None], a.values, profile) for a in (augmented, held_out)]
    p_measured, p_augmented, p_held_out = projector(torch.cat([profile, *rows])).chunk(3)
    return Response(
        Account(p_measured, observed),
        Account(p_augmented, augmented.known | observed),
        Account(p_held_out, held_out.known),
        response.weight,
    )


def _noise(profile: Tensor) -> Tensor:
    """Draw uniform noise of the shape of profiles."""
    width, kind, device = profile.shape[1], profile.dtype, profile.device
    return drawn(len(profile), device, lambda rows: torch.rand(rows, width, dtype=kind, device=device))


def best(response: Response, missing: Literal["augmented", "placeholder"]) -> Tensor:
    """Return what a decoder reads, shape (B, width): p_c, or p_c,aug for rows not measured."""
    measured = response.measured
    if missing == "placeholder":
        return measured.values
    return torch.where(measured.known[:, None], measured.values, response.augmented.values)


def contrasted(
    response: Response, alignment: Alignment, augmented_weight: float
) -> tuple[Tensor, Tensor | None]:
    """Return what molecules are contrasted with, shape (B, width), and its weights, shape (B,).

    ``paper``: p_c of all rows, weighing alike (None). ``held_out``: measured rows and, down-weighted,
    augmented ones; the others weigh 0. Where measured profiles have weights, these multiply.
    """
    known, weight = response.measured.known.float(), response.weight
    if alignment == "paper":
        return response.measured.values, None if weight is None else torch.where(known > 0, weight, 1.0)
    own = known if weight is None else known * weight
    if augmented_weight == 0:
        return response.measured.values, own
    return best(response, "augmented"), own + augmented_weight * (response.augmented.known.float() - known)


def compared(response: Response, alignment: Alignment) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return two accounts of the same rows, shape (B, width) each, and the rows that have both.

    ``paper``: p_c and p_c,aug of all rows (None). ``held_out``: what was measured, and what the neighbours
    say without having seen it; bool, shape (B,).
    """
    measured, held_out = response.measured, response.held_out
    if alignment == "paper":
        return measured.values, response.augmented.values, None
    return measured.values, held_out.values, measured.known & held_out.known


def quantized(response: Response, alignment: Alignment) -> tuple[Tensor, Tensor | None]:
    """Return p_c and the rows that the code book sees: all (None; paper), or those measured."""
    return response.measured.values, None if alignment == "paper" else response.measured.known
