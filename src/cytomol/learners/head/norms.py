"""The papers' property heads by name: which normalization each has."""

from __future__ import annotations

from typing import Literal

from cytomol.learners.head.options import HeadOptions
from cytomol.registry import Registry

__all__ = ["NormName", "heads", "norm_of"]

NormName = Literal["batch", "layer", "none"]

# head -> the normalization that it has in its paper; both are linear, normalization, GELU, dropout, linear
heads: Registry[NormName] = Registry("head")
heads.register("infoalign")("batch")  # Liu et al., ICLR 2025: d - 4d - tasks
heads.register("chmr")("layer")  # Li et al., AAAI 2026: hidden 1200 to 2400; batch norm for bace, hiv, sider


# Without a chosen head, what did better on the valid folds of chembl2k (classification) and biogenadme
# (regression).
_OWN_NORM: dict[str, NormName] = {"classification": "batch", "regression": "layer"}


def norm_of(options: HeadOptions, kind: str) -> NormName:
    """Return the normalization of the head that the options ask for.

    Parameters
    ----------
    options
        "auto" means the normalization that suits ``kind``.
    kind
        "classification" or "regression".
    """
    if options.norm != "auto":
        return options.norm
    return _OWN_NORM[kind] if options.head == "auto" else heads[options.head]
