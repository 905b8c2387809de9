"""The card of a backbone: the README of its directory."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from cytomol.artifact.backbone import Backbone
from cytomol.artifact.card_parts import cell, citation, code, front_matter, licence_lines
from cytomol.counted import counted
from cytomol.version import __version__

__all__ = ["card"]

_USE = """\
It turns molecules into numbers on which predictors of assays are fitted, matches molecules with cell
profiles, and imputes profiles of the kinds that it has learnt from.

## Limits

It knows molecules like those of its corpus. What it says of a molecule is a hint for choosing experiments, no
measurement, and no ground for a decision about a patient. Before an answer is relied on, `cytomol finetune`
holds the predictor to molecules that it has not seen and gives a verdict.
"""


def card(backbone: Backbone, training: Mapping[str, Any]) -> str:
    """Return what the model is, what it learnt from and how it is used, as Markdown.

    Parameters
    ----------
    backbone
        The model.
    training
        Content of ``training.json``.
    """
    data = training["data"]
    lines = [
        *front_matter(
            {
                "library_name": "cytomol",
                "tags": ["cytomol", "chemistry", "molecules", "cell profiles", backbone.name],
                "pipeline_tag": "feature-extraction",
            }
        ),
        f"# {backbone.name} model",
        "",
        *_made(backbone, training),
        "",
        "## Learnt from",
        "",
        *_corpus(data),
        "",
        *_modalities(backbone),
        "## Intended use",
        "",
        *_USE.splitlines(),
        "",
        *code(
            (
                "cytomol embed DIR molecules.csv -o embeddings.parquet",
                "cytomol finetune assays.csv --backbone DIR -o predictor",
            )
        ),
        *licence_lines(data.get("licences")),
        *citation(backbone.name),
        "## How to run it again",
        "",
        *code([_command(backbone, data)]),
        "`config.json` has every option, `training.json` every epoch, `manifest.json` each file's SHA-256.",
    ]
    return "\n".join(lines) + "\n"


def _made(backbone: Backbone, training: Mapping[str, Any]) -> list[str]:
    """Say what the model is, and how its training went."""
    seconds, speed = f"{training['seconds']:.0f} s", f"{training['molecules_per_second']:,.0f} molecules/s"
    lines = [
        f"Pretrained by cytomol {__version__} on a corpus of {training['data']['molecules']:,} molecules:",
        f"{counted(training['epochs'], 'epoch', comma=False)}, {seconds}, {speed}.",
        "",
        f"- views: {', '.join(backbone.config.views)}",
        f"- representation: {backbone.embedding_width} numbers a molecule",
    ]
    if not training["epochs"]:
        lines.append("- **untrained**: initial weights, as a control")
    else:
        end = training["loss_end"]
        lines.append(f"- loss: {training['loss_start']:.4g} at the start, {end:.4g} in the last epoch")
    if training["stopped_early"]:
        lines.append(f"- stopped early; weights of epoch {training['kept_epoch']}")
    return lines


def _corpus(data: Mapping[str, Any]) -> list[str]:
    """Say which corpus it was, and what of it was not learnt from."""
    lines = [f"- corpus: {data['molecules']:,} molecules, SHA-256 {data['corpus']}"]
    if data.get("exclude"):
        lines.append(f"- {_left_out(data)}")
    if data.get("init_encoder"):
        lines.append(f"- graph encoder started from the model {data['init_encoder']}")
    return lines


def _modalities(backbone: Backbone) -> list[str]:
    """Return the table of the modalities; a line where there are none."""
    if not backbone.modalities:
        return ["No cell profiles: it has learnt from structures alone.", ""]
    rows = [
        f"| {cell(name)} | {facts['entity']} | {facts['kind']} | {len(facts['columns'])} |"
        for name, facts in backbone.modalities.items()
    ]
    return ["| modality | of | kind | features |", "|---|---|---|---|", *rows, ""]


def _command(backbone: Backbone, data: Mapping[str, Any]) -> str:
    """Return the command that makes the model from the same corpus and files."""
    words = ["cytomol", "pretrain", "CORPUS", "--method", backbone.name, "--config", "DIR/config.json"]
    if excluded := data.get("exclude"):
        count = 1 if isinstance(excluded, str) else len(excluded)
        words += ["--exclude-profiles-of", "FILE"] * count
        words += [] if data.get("exclude_relations", True) else ["--keep-relations"]
    if data.get("init_encoder"):
        words += ["--init-encoder", "DIR"]
    return shlex.join([*words, "-o", "backbone"])


def _left_out(data: Mapping[str, Any]) -> str:
    """Say what of the corpus was not learnt from."""
    files = [data["exclude"]] if isinstance(data["exclude"], str) else data["exclude"]
    listed = f"molecules in files with SHA-256 {', '.join(files)}"
    if "excluded" not in data:  # written before relations left as well
        return f"profiles left out: those of the {listed}; their relations stayed"
    left = data["excluded"]
    relations = counted(left["relations"], "relation") if data["exclude_relations"] else "no relations"
    return (
        f"profiles left out: {left['profiles']:,}, and {relations}, of "
        f"{counted(left['molecules'], 'molecule')}; those of the {listed}"
    )
