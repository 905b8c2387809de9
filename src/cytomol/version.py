"""The version of this package, which saved directories, reports and the command line state."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
