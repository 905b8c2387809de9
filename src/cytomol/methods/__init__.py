"""InfoAlign and CHMR: each file reads as its paper's figure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cytomol.methods.base import Method, methods

__all__ = ["Method", "methods"]


def __getattr__(name: str) -> Any:
    """Load torch and the methods when they are first asked for; configurations need neither."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cytomol.methods import base, chmr, infoalign  # noqa: F401 - importing registers the methods

    return getattr(base, name)
