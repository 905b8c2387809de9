"""The card of the shipped backbone: what it is, what it may have seen, and under which licences."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.default_backbone.licences import MODALITIES, MOLECULES, RELATIONS, Source

from cytomol.artifact.backbone import Backbone
from cytomol.version import __version__

__all__ = ["card"]


def card(trained: Path, counts: Mapping[str, Any]) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    trained
        What ``pretrain`` made.
    counts
        What :func:`benchmarks.default_backbone.corpus.open_corpus` took and left, by source.
    """
    config = json.loads((trained / "config.json").read_text(encoding="utf-8"))
    record = json.loads((trained / "training.json").read_text(encoding="utf-8"))
    return "\n".join([*_head(trained, config, record, counts), *_seen(record), *_tables(counts), *_use()])


def _head(
    trained: Path, config: Mapping[str, Any], record: Mapping[str, Any], counts: Mapping[str, Any]
) -> Iterator[str]:
    options, width = config["config"], Backbone.load(trained).embedding_width
    yield "# The backbone that comes with cytomol"
    yield ""
    yield (
        f"`default` wherever a backbone is taken. Method {config['method']}, pretrained by cytomol "
        f"{__version__} on {record['data']['molecules']:,} molecules: {record['epochs']} epochs, "
        f"{record['seconds'] / 60:.0f} minutes on one core. It reads {', '.join(options['views'])} of a "
        f"molecule and gives {width} numbers. Matrices are stored in half precision and "
        "computed with in single."
    )
    yield ""
    yield (
        "It is small and learnt from little cell data, because little is openly licensed. What its "
        "embedding is worth is measured in `docs/default_backbone.md`. Its expected profiles say little "
        "more than the mean of what was measured: calibrate them (`cytomol impute --calibrate`) before "
        "they are relied on."
    )
    yield ""
    whole, taken = counts["all"]["rows"], counts["all"]["taken"]
    yield f"Of {whole:,} molecules of the full corpus it learnt from {taken:,}."
    yield ""


def _seen(record: Mapping[str, Any]) -> Iterator[str]:
    left = record["data"].get("excluded", {})
    yield "## What it may have seen"
    yield ""
    yield "- **Labels of assays: none**, of no set."
    yield (
        "- **Structures** of bbbp, bace, clintox and sider, without labels; and "
        "whichever molecules of other sets the Drug Repurposing Hub or JUMP-Target has."
    )
    yield (
        "- **Profiles and targets of evaluated molecules: none.** Those in a valid or test fold of any of "
        f"the nine published sets had theirs left out: {left.get('profiles', 0):,} profiles and "
        f"{left.get('relations', 0):,} relations of {left.get('molecules', 0):,} molecules, compared by "
        "connectivity. Molecules of the train folds may have theirs in."
    )
    yield ""


def _tables(counts: Mapping[str, Any]) -> Iterator[str]:
    yield "## Sources and licences"
    yield ""
    yield "Taken is what the corpus holds before the evaluated molecules' profiles are left out."
    yield ""
    yield from _table("molecules", MOLECULES, counts["molecules"])
    yield (
        "A molecule is taken where at least one open source has it; its SMILES is written anew from the "
        "structure. Sources overlap."
    )
    yield ""
    yield from _table("profiles", MODALITIES, counts["profiles"])
    yield from _table("relations", RELATIONS, counts["relations"])


def _table(what: str, sources: Sequence[Source], counts: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    yield f"| {what} | from | licence | there | taken | |"
    yield "|---|---|---|---|---|---|"
    for source in sources:
        found = counts.get(source.name, {"rows": 0, "taken": 0})
        there = max(found["rows"], found["taken"])
        yield (
            f"| {source.name} | {source.origin} | {source.licence} | {there:,} | {found['taken']:,} | "
            f"{source.note} |"
        )
    yield ""


def _use() -> Iterator[str]:
    yield "## Use"
    yield ""
    yield "```"
    yield "cytomol finetune assays.csv --backbone default -o model"
    yield "cytomol embed default molecules.csv -o embeddings.parquet"
    yield "cytomol impute default molecules.csv -o expected.parquet"
    yield "```"
    yield ""
    yield "`python -m benchmarks.default_backbone` makes it again."
    yield ""
