"""Make of a trained backbone the one that is shipped: in half precision, without what only training needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cytomol.artifact.backbone import KIND
from cytomol.artifact.directory import ModelDirectory, load_model, save_model

__all__ = ["halved", "pack", "without_training_parts"]


def pack(trained: Path, target: Path, card: str) -> Path:
    """Write the shipped directory; one that is there is replaced.

    Parameters
    ----------
    trained
        What ``pretrain`` made.
    target
        Where it goes.
    card
        Its README.
    """
    model = load_model(trained, kind=KIND)
    config, weights = without_training_parts(model)
    record = model.read_json("training.json") if (trained / "training.json").is_file() else {}
    asked = model.config["config"]
    record["packed"] = {
        "from": model.digest,
        "trained_with": {name: asked[name] for name in asked if asked[name] != config["config"][name]},
        "weights": "float16; vectors float32",
    }
    texts = {"training.json": json.dumps(record, indent=2) + "\n", "README.md": card}
    return save_model(
        target,
        kind=KIND,
        config=config,
        weights=halved(weights),
        statistics=model.statistics,
        texts=texts,
        force=True,
    )


def without_training_parts(model: ModelDirectory) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return description and weights without the decoders that embedding and imputation do not read.

    Those of the molecules' own features, of relations and of profiles of genes have taught the encoder, and
    are not asked afterwards.
    """
    description: dict[str, Any] = json.loads(json.dumps(model.config))
    kept = [
        name
        for name in description["dimensions"]["targets"]
        if description["modalities"].get(name, {}).get("entity") == "molecule"
    ]
    dimensions, config = description["dimensions"], description["config"]
    dropped = [name for name in dimensions["targets"] if name not in kept]
    dimensions["targets"] = {name: dimensions["targets"][name] for name in kept}
    dimensions["binary_targets"] = [name for name in dimensions["binary_targets"] if name in kept]
    fewer: dict[str, list[str]] = {"molecule_targets": [], "relation_targets": [], "profile_targets": kept}
    config |= {name: values for name, values in fewer.items() if name in config}
    prefixes = tuple(f"decoders.[{name}]." for name in dropped)
    weights = {name: tensor for name, tensor in model.weights.items() if not name.startswith(prefixes)}
    return description, weights


def halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return matrices in float16; vectors, which are few, and whole numbers stay as they are.

    Running variances of sums over atoms may be beyond what half precision holds.
    """
    return {
        name: tensor.half() if tensor.dtype == torch.float32 and tensor.ndim > 1 else tensor
        for name, tensor in weights.items()
    }
