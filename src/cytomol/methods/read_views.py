"""The views of molecules, each projected to the width that a method shares."""

from __future__ import annotations

from torch import Tensor

from cytomol.errors import ConfigError
from cytomol.nn.batch import Batch
from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.named import NamedModules

__all__ = ["project_views"]


def project_views(
    views: NamedModules, encoder: GraphEncoder | None, batch: Batch
) -> tuple[dict[str, Tensor], dict[str, Tensor | None]]:
    """Return projections of the views (zeros where masked), and where each view exists.

    Parameters
    ----------
    views
        Projector of each view.
    encoder
        Of the graph; None if "2d" is not among the views.
    batch
        With these views.

    Returns
    -------
    projected
        By view, shape (B, width).
    present
        By view, bool, shape (B,); None where every molecule has it.

    Raises
    ------
    ConfigError
        If the graph is read and the batch has none.
    """
    projected: dict[str, Tensor] = {}
    present: dict[str, Tensor | None] = {}
    for view in views:
        projector = views[view]
        if view == "2d":
            assert encoder is not None
            if batch.graph is None:
                raise ConfigError("the model reads the molecular graph, and the batch has none")
            values = encoder(batch.graph)
        else:
            values = batch.views[view]
        mask = present[view] = batch.view_mask.get(view)
        if mask is None:
            projected[view] = projector(values)
            continue
        # a masked view may hold NaN: leave it out before and after the projection
        rows = projector(values.masked_fill(~mask[:, None], 0.0))
        projected[view] = rows.masked_fill(~mask[:, None], 0.0)
    return projected, present
