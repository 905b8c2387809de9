"""Modules in evaluation mode for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

__all__ = ["evaluated"]


@contextmanager
def evaluated(module: nn.Module) -> Iterator[None]:
    """Hold a module in evaluation mode, and give it back in the mode that it had.

    One that is in evaluation mode already is left alone: to switch every part of an encoder takes a good part
    of the time in which it answers a molecule, and what it has made for evaluation would be made again.

    Parameters
    ----------
    module
        The module, with all its parts.

    Examples
    --------
    >>> layer = nn.Dropout()
    >>> with evaluated(layer):
    ...     layer.training
    False
    >>> layer.training
    True
    """
    if not any(part.training for part in module.modules()):
        yield
        return
    before = module.training
    module.eval()
    try:
        yield
    finally:
        module.train(before)
