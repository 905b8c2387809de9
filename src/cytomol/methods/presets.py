"""Settings to start from: the papers' text, and the authors' code; each as what it changes of our defaults.

``paper`` follows the text of the two papers. ``authors`` follows the code that the published figures came
from, mended only where it is broken outright: edge weights go with their edges. ``authors:SET`` adds the
weights of CHMR's loss that were set by hand for one benchmark. docs/method.md has every field of each, with
its reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cytomol.errors import ConfigError

__all__ = ["CHMR", "CONTRASTIVE", "INFOALIGN", "preset_options"]

_PUBLISHED: dict[str, Any] = {
    "chirality": "as_written",
    "candidates": "shortcut",
    "scaling": "minmax",
    "molecule_targets": ("morgan",),
    "dropout": 0.5,
    "epochs": 300,
    "batch_size": 3072,
    "lr": 1e-4,
    "weight_decay": 1e-8,
    "warmup_epochs": 0.0,
    "gradient_clip": 0.0,
    "validation_fraction": 0.0,
    "gene_profiles": "leaf",
    "unprofiled_genes": True,
    "compared_values": "filled",
}

# What the code of both methods has in common, beyond what their papers say.
_CODED: dict[str, Any] = {
    "target_spaces": "pooled",
    "gene_profiles": "node",
    "unprofiled_genes": False,
    "similarity_radius": 2,
    "similarity_digits": 2,
    "readout_weight": "raw",
    "count_stuck": True,
    "zero_biases": True,
}

_CHMR_PUBLISHED: dict[str, Any] = {
    **_PUBLISHED,
    "decoder_dropout": 0.3,
    "profile_inputs": "raw",
    "propagation_fill": "mean",
    "alignment": "paper",
    "alignment_reduction": "sum",
    "variance_hinges": "sum",
    "reseed_dead_codes": False,
    "decode_from": "modality",
    "missing_input": "placeholder",
}

_CHMR_CODED: dict[str, Any] = {
    **_CHMR_PUBLISHED,
    **_CODED,
    "epochs": 50,
    "augmentation": "authors",
    "reverse_assignment": "authors",
    "continuous_loss": "bce",
}

# lambda_sca and lambda_vq of the backbone for each benchmark, from the published table of settings.
_BY_SET: dict[str, tuple[float, float]] = {
    "chembl2k": (10, 0.1),
    "toxcast": (1, 0.1),
    "broad6k": (10, 10),
    "biogenadme": (10, 1),
    "bbbp": (10, 10),
    "bace": (0.01, 0.1),
    "clintox": (0.1, 10),
    "sider": (10, 10),
    "hiv": (10, 10),
}

INFOALIGN: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": {**_PUBLISHED, "decoder_dropout": 0.5, "decode": "sample"},
    "authors": {**_PUBLISHED, **_CODED, "decoder_dropout": 0.5, "decode": "mean"},
}
"""Presets of InfoAlign by name."""

CHMR: dict[str, dict[str, Any]] = {
    "default": {},
    "paper": {**_CHMR_PUBLISHED, "reverse_assignment": "none"},
    "authors": _CHMR_CODED,
    **{
        f"authors:{name}": {**_CHMR_CODED, "lambda_sca": float(sca), "lambda_vq": float(vq)}
        for name, (sca, vq) in _BY_SET.items()
    },
}
"""Presets of CHMR by name."""

CONTRASTIVE: dict[str, dict[str, Any]] = {
    "default": {},
    # The loss and the inputs of the paper; sizes and training as its released code has them by default.
    "paper": {
        "views": ("1d",),
        "morgan_radius": 3,
        "profile_inputs": "zscore",
        "width": 512,
        "hidden": 1024,
        "hidden_layers": 4,
        "epochs": 32,
        "batch_size": 64,
        "lr": 5e-4,
        "validation_fraction": 0.0,
        "gradient_clip": 0.0,
        "cosine_cycles": 0.5,
    },
}
"""Presets of the contrastive method by name."""


def preset_options(presets: Mapping[str, Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    """Return what a preset changes of the defaults.

    Raises
    ------
    ConfigError
        If there is no such preset; the known ones are listed.
    """
    if name not in presets:
        raise ConfigError(f"unknown preset {name!r}", hint=f"known: {', '.join(presets)}")
    return presets[name]
