"""From the common space to the features of a target space."""

from __future__ import annotations

from typing import Literal, cast

from torch import Tensor, nn
from torch.nn import functional

from cytomol.nn.dropout import Dropout
from cytomol.nn.linear import Linear, filled_up
from cytomol.nn.norm import BatchNorm

__all__ = ["Decoder"]


class Decoder(nn.Module):
    """Two-layer perceptron, width - 4 width - outputs, with GELU and dropout.

    With ``norm="batch"`` (InfoAlign) the hidden layer is batch-normalised before GELU; with
    ``norm="layer"`` (CHMR) the input is layer-normalised.

    Parameters
    ----------
    width
        Width of the representation that is decoded, d.
    outputs
        Width of the target space.
    dropout
        Dropout of the hidden layer.
    norm
        Kind and place of the normalisation.
    """

    def __init__(
        self, width: int, outputs: int, *, dropout: float, norm: Literal["batch", "layer"], expansion: int = 4
    ) -> None:
        super().__init__()
        hidden = expansion * width
        self.rows_apart = norm == "layer"
        self.hidden = (
            nn.Sequential(Linear(width, hidden), BatchNorm(hidden), nn.GELU(), Dropout(dropout))
            if norm == "batch"
            else nn.Sequential(nn.LayerNorm(width), Linear(width, hidden), nn.GELU(), Dropout(dropout))
        )
        self.output = Linear(hidden, outputs)

    def forward(self, code: Tensor, rows: Tensor | None = None) -> Tensor:
        """Decode representations.

        Parameters
        ----------
        code
            Representations, shape (n, width).
        rows
            Rows to decode, int64, shape (m,); all of them when None. Batch statistics are those of
            all n rows in either case.

        Returns
        -------
        Logits or values, shape (m, outputs).
        """
        if rows is None:
            return cast("Tensor", self.output(self.hidden(code)))
        count = len(rows)
        some = functional.pad(rows, (0, filled_up(count) - count))  # see nn.linear.product; row 0 once more
        if self.rows_apart:
            hidden = self._of_some(code.index_select(0, some), count)
        else:
            hidden = self.hidden(code).index_select(0, some)
        return cast("Tensor", self.output(hidden)[:count])

    def _of_some(self, code: Tensor, rows: int) -> Tensor:
        """Return the hidden layer of codes of which those after the first ``rows`` do not count."""
        for layer in self.hidden:
            code = layer(code, rows) if isinstance(layer, Dropout) else layer(code)
        return code
