"""The forms that were tried, and the one that is shipped."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["CHOSEN", "FORMS", "options_of"]

_COMMON = ("--precision", "bf16-mixed", "--batch-size", "128", "--seed", "0")
_TAUGHT = (
    *("--molecule-targets", "morgan,maccs,descriptors"),
    *("--relation-targets", "compound_targets_gene"),
)

FORMS: Mapping[str, tuple[str, ...]] = {
    "infoalign": ("--method", "infoalign", "--width", "240", "--epochs", "10", *_TAUGHT),
    "infoalign-long": ("--method", "infoalign", "--width", "240", "--epochs", "30", *_TAUGHT),
    "infoalign-longest": ("--method", "infoalign", "--width", "240", "--epochs", "100", *_TAUGHT),
    "chmr-long": ("--method", "chmr", "--views", "1d,2d", "--width", "208", "--epochs", "30", *_TAUGHT),
    "chmr": ("--method", "chmr", "--views", "1d,2d", "--width", "208", "--epochs", "8", *_TAUGHT),
}
"""Options of ``cytomol pretrain`` by name; widths are such that the packed weights stay below 8 MB."""

CHOSEN = "infoalign-longest"


def options_of(form: str) -> tuple[str, ...]:
    """Return all options of a form but corpus, exclusion, threads and output.

    Examples
    --------
    >>> options_of("infoalign")[:2]
    ('--method', 'infoalign')
    """
    return (*FORMS[form], *_COMMON)
