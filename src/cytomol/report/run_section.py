"""What was run, and how to run it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytomol.predict.config import FinetuneConfig
from cytomol.progress import duration
from cytomol.report.elements import Code, Element, Facts, Heading, Sentence
from cytomol.report.page import Section
from cytomol.report.predictor_facts import PredictorFacts

__all__ = ["run_section"]


def run_section(facts: PredictorFacts, directory: Path) -> Section:
    """Say what was run, with which options, and how to do it again."""
    options = _changed(facts.config.get("finetune", {}))
    pairs = [
        ("learner", str(facts.scores.get("learner", ""))),
        ("features", ", ".join(facts.config.get("blocks", []))),
        ("backbone", _backbone(facts.config)),
        ("options", ", ".join(options) or "as by default"),
        ("predicts", str(facts.scores.get("predicts", ""))),
        ("took", _seconds(facts.scores)),
        ("cytomol", "" if facts.record is None else facts.record.version),
        ("SHA-256 of the model", facts.digest),
    ]
    elements: list[Element] = [Facts([pair for pair in pairs if pair[1]])]
    command = () if facts.record is None else facts.record.command
    name = shlex.quote(directory.name or "model")
    again = [shlex.join(command)] if command else []
    elements += [
        Heading("Run it again"),
        Code("\n".join([*again, f"cytomol report {name}"])),
        Heading("Use it"),
        Code(
            f"cytomol predict {name} molecules.csv -o predictions.csv\n"
            f"cytomol explain {name} molecules.csv -o atoms.csv\n"
            f"cytomol score {name} measured.csv"
        ),
        Sentence(
            "The same table, options and version give the same model. scores.json has every figure of this "
            "page's tables, split.csv the fold of each row, report.json what the figures were drawn from.",
            "quiet",
        ),
    ]
    return Section("What was run", elements)


def _changed(given: Mapping[str, Any]) -> list[str]:
    """Return the options that differ from what they are by default."""
    usual = FinetuneConfig().model_dump(mode="json")
    return [
        f"{name} {value}" for name, value in sorted(given.items()) if name in usual and usual[name] != value
    ]


def _backbone(config: Mapping[str, Any]) -> str:
    backbone = config.get("backbone")
    if not isinstance(backbone, Mapping):
        return "none"
    source = str(backbone.get("source", ""))
    return f"of SHA-256 {source}" if source else "inside the model"


def _seconds(scores: Mapping[str, Any]) -> str:
    seconds = scores.get("seconds")
    return "" if seconds is None else duration(float(seconds))
