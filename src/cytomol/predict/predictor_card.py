"""The card of a predictor: the README of its directory, made of what the predictor knows of itself."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from cytomol.artifact.card_parts import cell, citation, code, front_matter, licence_lines
from cytomol.assays.digits import shown
from cytomol.assays.labels import Task
from cytomol.assays.metrics import metrics
from cytomol.counted import counted
from cytomol.predict.config import FinetuneConfig
from cytomol.predict.parts import PredictorParts
from cytomol.predict.vector_table import FROM_FILE
from cytomol.predict.verdict.task import CLASS_SPREAD, CONSTANT, MODEL
from cytomol.version import __version__

__all__ = ["option_words", "predictor_card"]

_SHOWN = 40
_MODELS = (MODEL, CONSTANT, "neighbours", "forest")
_LIMITS = """\
- It knows molecules like those that it has learnt from. `cytomol predict` says of every molecule whether it
  lies inside, at the edge or outside of them; outside, its answer says little.
- An interval holds the measured value as often as it says for molecules like the held-out ones alone.
- An answer is a hint for choosing experiments, no measurement, and no ground for a decision about a patient.
"""


def predictor_card(predictor: PredictorParts) -> str:
    """Return what the predictor is, what it learnt from and whether it is any good, as Markdown.

    Parameters
    ----------
    predictor
        Its ``texts`` have ``scores.json`` where it was just made; without them the card has no scores.

    Examples
    --------
    >>> from cytomol import PropertyRegressor
    >>> model = PropertyRegressor("neighbours").fit(["CCO", "CCN", "CCC"] * 6, [0.1, 0.4, 0.2] * 6)
    >>> "## Is it any good?" in predictor_card(model.predictor_)
    True
    """
    tasks = predictor.encoding.tasks
    scores = json.loads(predictor.texts.get("scores.json", "{}"))
    lines = [
        *front_matter(_front(predictor, tasks, scores)),
        f"# Predictor of {_named(tasks)}",
        "",
        *_made(predictor, scores),
        "",
        "## Is it any good?",
        "",
        *_verdict(scores),
        "## Learnt from",
        "",
        *_learnt_from(predictor, scores),
        "",
        "## Intended use",
        "",
        "It predicts the assays above for molecules like those that it has learnt from.",
        "",
        *code(("cytomol predict DIR molecules.csv -o predictions.csv",)),
        "Once these molecules are measured, `cytomol score DIR measured.csv` says whether it was right.",
        "",
        "## Limits",
        "",
        *_LIMITS.splitlines(),
        *_holds(predictor),
        "",
        *licence_lines(None),
        *citation(*([] if predictor.features.backbone is None else [predictor.features.backbone.name])),
        "## How to run it again",
        "",
        *code([_command(predictor, tasks)]),
        "With the same table. `config.json` has every option, `manifest.json` each file's SHA-256.",
    ]
    return "\n".join(lines) + "\n"


def option_words(options: Mapping[str, Any]) -> list[str]:
    """Return options of a configuration as the command line takes them.

    Examples
    --------
    >>> option_words({"lr": 0.1, "missing_codes": [-1, -9], "refit": False})
    ['--lr', '0.1', '--missing-codes=-1,-9', '--no-refit']
    """
    words: list[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words.append(flag if value else f"--no-{flag[2:]}")
        elif value is not None:
            text = ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
            words += [f"{flag}={text}"] if text.startswith("-") else [flag, text]
    return words


def _front(predictor: PredictorParts, tasks: Sequence[Task], scores: Mapping[str, Any]) -> dict[str, Any]:
    """Return what model hubs read: kind of the tasks, and the test scores."""
    kinds = {"regression" if task.kind == "regression" else "classification" for task in tasks}
    results = [
        {
            "task": {"type": f"tabular-{'regression' if task.kind == 'regression' else 'classification'}"},
            "dataset": {"name": task.name, "type": "table of assays"},
            "metrics": [{"type": metric, "name": metrics[metric].title, "value": value}],
        }
        for task in tasks
        if (found := _test_score(scores, task.name)) is not None
        for metric, value in (found,)
    ]
    return {
        "library_name": "cytomol",
        "tags": ["cytomol", "chemistry", "molecules", "assays", predictor.name],
        "pipeline_tag": f"tabular-{kinds.pop()}" if len(kinds) == 1 else None,
        "model-index": [{"name": f"predictor of {_named(tasks)}", "results": results}] if results else None,
    }


def _test_score(scores: Mapping[str, Any], task: str) -> tuple[str, float] | None:
    """Return metric and value of a task's score that the verdict has; None where there is none."""
    judged = scores.get("verdict", {}).get("tasks", {}).get(task)
    if judged is None:
        return None
    value = judged["scores"].get(MODEL, {}).get(judged["metric"], {}).get("value")
    return None if value is None else (judged["metric"], round(float(value), 6))


def _named(tasks: Sequence[Task]) -> str:
    names = [task.name for task in tasks]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _made(predictor: PredictorParts, scores: Mapping[str, Any]) -> list[str]:
    """Say what was fitted, on what."""
    backbone = predictor.features.backbone
    read = ", ".join(predictor.features.blocks)
    lines = [f"Fitted by cytomol {__version__}: the learner `{predictor.name}` on {read}."]
    if "predicts" in scores:
        lines.append(f"What predicts was {scores['predicts']}.")
    if backbone is not None:
        changed = ", changed in fitting" if predictor.unfrozen else ""
        source = f" (SHA-256 {predictor.source}{changed})" if predictor.source else ""
        lines.append(f"The embedding is that of a {backbone.name} backbone{source}.")
    return lines


def _verdict(scores: Mapping[str, Any]) -> list[str]:
    """Return the verdict in one sentence, and the table of scores beside what costs nothing."""
    verdict = scores.get("verdict")
    if not verdict:
        return ["Not judged: it was made without baselines or held-out molecules.", ""]
    word, sentence, tasks = verdict["word"], verdict["sentence"], list(verdict["tasks"].items())
    names = [name for name in _MODELS if any(name in judged["scores"] for _, judged in tasks)]
    lines = [
        f"**{sentence}**" if sentence.startswith(word) else f"**{word}**: {sentence}",
        "",
        f"| task | verdict | labels | metric | {' | '.join(names)} |",
        "|---" * (4 + len(names)) + "|",
    ]
    for name, judged in tasks[:_SHOWN]:
        cells = [_score(judged, model) for model in names]
        title = metrics[judged["metric"]].title
        lines.append(
            f"| {cell(name)} | {judged['word']} | {judged['labels']:,} | {title} | {' | '.join(cells)} |"
        )
    if len(tasks) > _SHOWN:
        more = counted(len(tasks) - _SHOWN, "more task", comma=False)
        lines.append(f"\nand {more} in `scores.json`")
    told = "All scores are those of held-out molecules; the intervals are of 95%."
    return [*lines, "", told, ""]


def _score(judged: Mapping[str, Any], model: str) -> str:
    """Return a score of a task as the verdict prints it; the model's with its interval."""
    found = judged["scores"].get(model, {}).get(judged["metric"])
    if found is None or found["value"] is None:
        return "-"
    unit = _spread(judged)
    value = shown(found["value"], unit)
    if model != MODEL or found["low"] is None:
        return value
    return f"{value} ({shown(found['low'], unit)} to {shown(found['high'], unit)})"


def _spread(judged: Mapping[str, Any]) -> float:
    """Return what the digits of a score follow: of one in the task's unit, the error of the constant."""
    found = judged["scores"].get(CONSTANT, {}).get(judged["metric"], {}).get("value")
    return abs(float(found)) if metrics[judged["metric"]].in_unit and found else CLASS_SPREAD


def _learnt_from(predictor: PredictorParts, scores: Mapping[str, Any]) -> list[str]:
    """Say which tasks, of how many molecules and with which profiles."""
    lines = ["| task | kind | classes |", "|---|---|---|"]
    tasks = predictor.encoding.tasks
    lines += [
        f"| {cell(task.name)} | {task.kind} | {cell(', '.join(task.classes))} |" for task in tasks[:_SHOWN]
    ]
    if len(tasks) > _SHOWN:
        lines.append(f"\nand {len(tasks) - _SHOWN} more")
    folds = [f"{fold} {scores[fold]['rows']:,}" for fold in ("train", "valid", "test") if fold in scores]
    if folds:
        lines += ["", f"Rows of the table by fold (`split.csv`): {', '.join(folds)}."]
    for block in predictor.features.profiles:
        lines.append(f"Measured profiles too: {block.name}, {counted(len(block.columns), 'feature')}.")
    for encoder in predictor.features.encoders:
        lines += [
            "",
            f"Vectors of the encoder `{encoder.name}` too, {counted(encoder.width, 'number')} a molecule.",
            f"What it may have seen: {encoder.pretraining.said(encoder.name)}.",
        ]
    return lines


def _holds(predictor: PredictorParts) -> list[str]:
    """Say what of the training molecules lies in the directory."""
    what = "no training molecules, but may hold numbers made of them"
    if predictor.evidence is not None:
        what = f"{len(predictor.evidence.smiles):,} training molecules and their measured values"
    return [f"- The directory holds {what}: do not give it away if they are secret."]


def _command(predictor: PredictorParts, tasks: Sequence[Task]) -> str:
    """Return the command that makes the predictor from the same table."""
    words = ["cytomol", "finetune", "TABLE", "--targets", ",".join(task.name for task in tasks)]
    usual = FinetuneConfig().result_options()
    words += option_words(
        {name: value for name, value in predictor.options.items() if name in usual and value != usual[name]}
    )
    words += ["--backbone", "BACKBONE"] if predictor.features.backbone is not None else []
    words += [word for block in predictor.features.profiles for word in ("--profiles", f"{block.name}=FILE")]
    for encoder in predictor.features.encoders:
        words += ["--encoder", f"{FROM_FILE}TABLE" if encoder.name.startswith(FROM_FILE) else encoder.name]
    return shlex.join([*words, "-o", "model"])
