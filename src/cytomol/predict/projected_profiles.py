"""Measured profiles in the space of a backbone that projects them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cytomol.predict.profile_block import ProfileBlock

if TYPE_CHECKING:
    from cytomol.artifact.backbone import Backbone

__all__ = ["project_profiles", "projected_modality"]

_CHUNK = 4096


def projected_modality(backbone: Backbone | None, block: ProfileBlock) -> str | None:
    """Return the modality of a backbone that has the features of a block and is projected; None without."""
    if backbone is None or backbone.method.profiles is None:
        return None
    for name, about in backbone.modalities.items():
        if name in backbone.method.profiles and set(about["columns"]) <= set(block.columns):
            return name
    return None


def project_profiles(
    backbone: Backbone, name: str, block: ProfileBlock, values: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the place of each profile in the space that the backbone's molecules share with them.

    Parameters
    ----------
    backbone, name
        The backbone and its modality.
    block
        Whose features the profiles have.
    values
        Profiles, corrected as the backbone's training profiles were, shape (n, width); a feature that was
        not measured counts as typical, or as the scaling's zero in a backbone that does not say what is
        typical.

    Returns
    -------
    Rows of length 1, NaN without a profile, float32, shape (n, width of the space).
    """
    import torch

    at = [block.columns.index(column) for column in backbone.modalities[name]["columns"]]
    own = np.ascontiguousarray(values[:, at])
    typical = backbone.typical[name].mean[None] if name in backbone.typical else None
    fill = np.float32(0) if typical is None else backbone.profile_rows(name, typical)
    parts = []
    with torch.inference_mode():
        backbone.method.eval()
        for start in range(0, max(len(own), 1), _CHUNK):
            rows = backbone.profile_rows(name, own[start : start + _CHUNK])
            rows = np.where(np.isnan(rows), fill, rows).astype(np.float32)
            placed = backbone.method.project(name, torch.from_numpy(rows).to(backbone.device))
            parts.append(placed.float().cpu().numpy())
    result = np.concatenate(parts)
    result /= np.maximum(np.linalg.norm(result, axis=1, keepdims=True), 1e-12)
    result[np.isnan(values).all(axis=1)] = np.nan
    return np.asarray(result, dtype=np.float32)
