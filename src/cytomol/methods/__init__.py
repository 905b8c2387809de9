"""InfoAlign, CHMR and the contrastive method: each file reads as its paper's figure, and says its needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cytomol.methods.base import Method, method_of, methods

__all__ = ["Method", "method_of", "methods"]


def __getattr__(name: str) -> Any:
    """Load torch and the methods when they are first asked for; configurations need neither."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cytomol.methods import base, chmr, contrastive, infoalign  # noqa: F401 - importing registers the methods

    return getattr(base, name)
