"""What may stand in for a missing profile, as changes of a method's options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cytomol.errors import ConfigError
from cytomol.methods.config import MethodConfig
from cytomol.methods.options.filling import FillingOptions

__all__ = ["FILLINGS", "UNFILLED", "fillings_of"]

FILLINGS: dict[str, Mapping[str, Any]] = {
    "zero": {"augmentation": "zero"},
    "mean": {"augmentation": "mean"},
    "neighbour": {"augmentation": "nearest"},
    "propagation-paper": {"augmentation": "propagation", "alignment": "paper"},
    "propagation-held-out": {"augmentation": "propagation", "alignment": "held_out"},
}
"""Options by the name of a filling; the last two differ in what is aligned with what."""

UNFILLED = "none"
"""The filling of a method that fills no gaps."""


def fillings_of(config: MethodConfig, names: Sequence[str] | None = None) -> dict[str, MethodConfig]:
    """Return the options of a method with each filling; a method that fills nothing has one, "none".

    Parameters
    ----------
    config
        Options that the fillings change.
    names
        Which fillings; all of them by default.

    Raises
    ------
    ConfigError
        If a filling is unknown, or the method has none to choose.

    Examples
    --------
    >>> from cytomol.methods.config import configs
    >>> list(fillings_of(configs["infoalign"]()))
    ['none']
    >>> fillings_of(configs["chmr"](), ["neighbour"])["neighbour"].augmentation
    'nearest'
    """
    if not isinstance(config, FillingOptions):
        if names is not None and list(names) != [UNFILLED]:
            raise ConfigError(
                f"the method fills no gaps, so not with {', '.join(names)}", hint="leave the fillings out"
            )
        return {UNFILLED: config}
    chosen = list(FILLINGS) if names is None else list(dict.fromkeys(names))
    if unknown := [name for name in chosen if name not in FILLINGS]:
        raise ConfigError(f"unknown filling {unknown[0]!r}", hint=f"known: {', '.join(FILLINGS)}")
    return {name: config.updated(**FILLINGS[name]) for name in chosen}
