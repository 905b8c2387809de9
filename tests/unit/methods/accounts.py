"""Batches whose accounts of a modality are changed."""

from __future__ import annotations

import dataclasses
from typing import Literal

from torch import Tensor

from cytomol.nn.batch import Account, Batch


def with_account(
    batch: Batch,
    name: str,
    which: Literal["measured", "augmented", "held_out"],
    *,
    values: Tensor | None = None,
    known: Tensor | None = None,
) -> Batch:
    """Return the batch with other values of one account of a modality, or other rows that it has."""
    response = batch.responses[name]
    old = getattr(response, which)
    new = Account(old.values if values is None else values, old.known if known is None else known)
    changed = dataclasses.replace(response, **{which: new})
    return dataclasses.replace(batch, responses={**batch.responses, name: changed})
