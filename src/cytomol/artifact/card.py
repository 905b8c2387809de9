"""The README of a model directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cytomol.artifact.backbone import Backbone
from cytomol.version import __version__

__all__ = ["card"]


def card(backbone: Backbone, training: Mapping[str, Any]) -> str:
    """Return what the model is, what it learnt from and how it is used, as Markdown.

    Parameters
    ----------
    backbone
        The model.
    training
        Content of ``training.json``.
    """
    config, data = backbone.config, training["data"]
    seconds, speed = f"{training['seconds']:.0f} s", f"{training['molecules_per_second']:,.0f} molecules/s"
    lines = [
        f"# {backbone.name} model",
        "",
        f"Pretrained by cytomol {__version__} on a corpus of {data['molecules']:,} molecules:",
        f"{training['epochs']} epochs, {seconds}, {speed}.",
        "",
        f"- views: {', '.join(config.views)}",
        f"- representation: {backbone.embedding_width} numbers a molecule",
        f"- corpus: SHA-256 {data['corpus']}",
    ]
    if not training["epochs"]:
        lines.append("- **untrained**: initial weights, as a control")
    else:
        end = training["loss_end"]
        lines.append(f"- loss: {training['loss_start']:.4g} at the start, {end:.4g} in the last epoch")
    if training["stopped_early"]:
        lines.append(f"- stopped early; weights of epoch {training['kept_epoch']}")
    if data.get("exclude"):
        lines.append(f"- {_left_out(data)}")
    if data.get("init_encoder"):
        lines.append(f"- graph encoder started from the model {data['init_encoder']}")
    lines += ["", "| modality | of | kind | features |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {facts['entity']} | {facts['kind']} | {len(facts['columns'])} |"
        for name, facts in backbone.modalities.items()
    ]
    lines += [
        "",
        "```",
        "cytomol embed DIR molecules.csv -o embeddings.parquet",
        "cytomol finetune assays.csv --backbone DIR -o predictor",
        "```",
        "",
    ]
    return "\n".join(lines)


def _left_out(data: Mapping[str, Any]) -> str:
    """Say what of the corpus was not learnt from."""
    files = [data["exclude"]] if isinstance(data["exclude"], str) else data["exclude"]
    listed = f"molecules in files with SHA-256 {', '.join(files)}"
    if "excluded" not in data:  # written before relations left as well
        return f"profiles left out: those of the {listed}; their relations stayed"
    left = data["excluded"]
    relations = f"{left['relations']:,} relations" if data["exclude_relations"] else "no relations"
    return (
        f"profiles left out: {left['profiles']:,}, and {relations}, of {left['molecules']:,} molecules; "
        f"those of the {listed}"
    )
