"""The report on a backbone: what it learnt from, how its loss fell, and what its space looks like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytomol.artifact.backbone import KIND
from cytomol.artifact.directory import kind_of
from cytomol.counted import counted
from cytomol.errors import ModelDirectoryError
from cytomol.report.elements import Code, Element, Facts, Fold, Sentence, Table
from cytomol.report.of_backbone_codes import codes_section
from cytomol.report.of_backbone_curves import curves_section
from cytomol.report.of_backbone_map import map_section
from cytomol.report.page import Page, Section
from cytomol.report.report_kinds import report_kinds
from cytomol.training.overview.overview import OVERVIEW

__all__ = ["BackboneReport"]


@report_kinds.register("backbone")
class BackboneReport:
    """The report on a backbone.

    Examples
    --------
    >>> import tempfile
    >>> BackboneReport().recognises(Path(tempfile.mkdtemp()))
    False
    """

    def recognises(self, directory: Path) -> bool:
        """Say whether a directory holds a backbone."""
        return (directory / "manifest.json").is_file() and kind_of(directory) == KIND

    def page(self, directory: Path) -> Page:
        """Return the report, a function of the directory alone.

        Raises
        ------
        ModelDirectoryError
            If its record of the training is absent or damaged.
        """
        config, training = _json(directory, "config.json"), _json(directory, "training.json")
        found = _json(directory, OVERVIEW) if (directory / OVERVIEW).is_file() else {}
        try:
            sections = [
                Section("In short", _in_short(config, training, found)),
                Section("What it learnt from", _learnt_from(training, found)),
                curves_section(training["history"]),
                codes_section(found),
                map_section(found),
                Section("What it is", _what_it_is(directory, config)),
                Section("How it was run", _how_it_was_run(training)),
            ]
            epochs = counted(training["epochs"], "epoch", comma=False)
            subtitle = f"{training['data']['molecules']:,} molecules, {epochs}"
            name = _called(training["method"])
        except KeyError as error:  # a record that another program wrote, or cut
            raise ModelDirectoryError(
                f"its records have no {error}", where=str(directory), hint="pretrain writes them"
            ) from None
        return Page(f"A backbone by {name}", subtitle, [one for one in sections if one])


def _called(method: str) -> str:
    """Return what a sentence calls a method, known here or of a plug-in that is not loaded."""
    from cytomol.methods import methods

    return (methods[method].called if method in methods.names() else "") or method


def _json(directory: Path, name: str) -> dict[str, Any]:
    """Return one of the directory's JSON files."""
    try:
        table = json.loads((directory / name).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelDirectoryError(
            f"cannot be read: {error}", where=str(directory / name), hint="pretrain writes it"
        ) from None
    if not isinstance(table, dict):
        raise ModelDirectoryError("holds no table of facts", where=str(directory / name))
    return table


def _in_short(
    config: Mapping[str, Any], training: Mapping[str, Any], found: Mapping[str, Any]
) -> list[Element]:
    """Return what a reader wants to know first."""
    name = _called(training["method"])
    name = name[:1].upper() + name[1:]
    counts = found.get("learnt_from", {}).get("molecules")
    which = f"{training['data']['molecules']:,} molecules"
    if counts and counts["valid"]:
        which = f"{counts['train'] + counts['validation']:,} molecules"
        which += f", {counts['profiled']:,} of them with a profile of cells,"
    if not training["history"]:
        said = f"{name} was built for {which.rstrip(',')} and not trained: initial weights, as a control."
        return [Sentence(said, "said")]
    first, last = training["history"][0], training["history"][-1]
    epochs = counted(training["epochs"], "epoch", comma=False)
    said = f"{name} learnt from {which} for {epochs}. " + _fall(first, last, training)
    rest = (
        "What it is worth shows only where it is used: fine-tune it to assays (cytomol finetune) and read "
        "the verdict, or put it beside other models (cytomol benchmark)."
    )
    return [Sentence(said, "said"), Sentence(_advice(training, config)), Sentence(rest)]


def _fall(first: Mapping[str, Any], last: Mapping[str, Any], training: Mapping[str, Any]) -> str:
    """Say how far the loss fell."""
    text = (
        f"The loss fell from {first['train']['loss']:.4g} in the first epoch to {last['train']['loss']:.4g}"
    )
    if last["train"]["loss"] >= first["train"]["loss"]:
        text = f"The loss did not fall: {first['train']['loss']:.4g}, then {last['train']['loss']:.4g}"
    if not last["valid"]:
        return f"{text}; nothing was held out to validate it."
    best = min(training["history"], key=lambda entry: entry["valid"].get("loss", float("inf")))
    return (
        f"{text}; on molecules held out from {first['valid']['loss']:.4g} to {last['valid']['loss']:.4g}, "
        f"lowest in epoch {best['epoch']} ({best['valid']['loss']:.4g})."
    )


def _advice(training: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    """Say whether longer training is likely to help, as far as validation tells."""
    losses = [entry["valid"]["loss"] for entry in training["history"] if entry["valid"]]
    if not losses:
        return "Hold molecules out (--validation-fraction) to see when training should end."
    if len(losses) == 1:
        return "One epoch does not tell whether more would help."
    since = len(losses) - 1 - losses.index(min(losses))
    planned = config["config"].get("schedule", "constant") != "constant"
    if training["stopped_early"]:
        return f"It stopped early and kept the weights of epoch {training['kept_epoch']}."
    if since == 0:
        fading = " though the learning rate was planned to end here" if planned else ""
        return f"Validation was still falling in the last epoch: more epochs may help,{fading or ' try it'}."
    said = (
        f"Validation has not improved in the last {since} epoch{'s' if since > 1 else ''}: more epochs alone "
        "are unlikely to help."
    )
    learnt = [entry["train"]["loss"] for entry in training["history"]]
    if losses[-1] - min(losses) > 0.1 * (max(losses) - min(losses)) and learnt[-1] < learnt[-1 - since]:
        said += (
            " It has risen since, while the loss fell: the model learns by heart; --patience stops in time."
        )
    return said


def _learnt_from(training: Mapping[str, Any], found: Mapping[str, Any]) -> list[Element]:
    """Return counts and coverage, and what was left out."""
    elements: list[Element] = []
    if facts := found.get("learnt_from"):
        counts = facts["molecules"]
        elements.append(
            Facts(
                [
                    ("molecules", f"{counts['corpus']:,} in the corpus, {counts['valid']:,} of them valid"),
                    ("learnt from", f"{counts['train']:,}; {counts['validation']:,} held out to validate"),
                    ("with a profile", _share(counts["profiled"], counts["valid"])),
                    ("genes", f"{facts['genes']:,}"),
                ]
            )
        )
        elements += _tables(facts)
    else:
        elements.append(Sentence(f"{training['data']['molecules']:,} molecules; the directory says no more."))
    elements.append(Sentence(_left_out(training["data"])))
    return elements


def _tables(facts: Mapping[str, Any]) -> list[Element]:
    """Return the tables of modalities and relations, and the context graph."""
    elements: list[Element] = []
    if facts["modalities"]:
        whole = {"molecule": facts["molecules"]["valid"], "gene": facts["genes"]}
        rows = [
            [
                one["name"],
                one["kind"],
                one["entity"],
                f"{one['features']:,}",
                f"{one['profiles']:,}",
                _percent(one["entities"], whole[one["entity"]]),
                "yes" if one["corrected"] else "no",
            ]
            for one in facts["modalities"]
        ]
        head = ["modality", "kind", "of", "features", "profiles", "coverage", "corrected"]
        caption = "Modalities: coverage is the share of valid molecules, or of genes, with a profile."
        elements.append(Table(head, rows, caption))
    else:
        elements.append(Sentence("It learnt from no profile of cells."))
    if facts["relations"]:
        rows = [
            [one["name"], one["source"], one["target"], f"{one['links']:,}"] for one in facts["relations"]
        ]
        elements.append(Table(["relation", "from", "to", "links"], rows, "Relations"))
    if context := facts["context"]:
        criteria = sorted(context["criteria"].items(), key=lambda item: -item[1])
        rows = [[name, f"{edges:,}"] for name, edges in criteria]
        said = f"The context graph, along which walks go, has {context['nodes']:,} nodes and "
        elements.append(Sentence(f"{said}{counted(context['edges'], 'edge')}."))
        elements.append(Table(["criterion", "edges"], rows, "Edges by criterion"))
    return elements


def _left_out(data: Mapping[str, Any]) -> str:
    """Say what of the corpus was not learnt from."""
    if not data.get("exclude"):
        return (
            "Nothing was left out: a score on molecules of this corpus may owe something to their profiles "
            "(--exclude-profiles-of leaves them out)."
        )
    left = data.get("excluded")
    if left is None:  # written before they were counted
        return "Profiles of listed molecules were left out."
    profiles, molecules = counted(left["profiles"], "profile"), counted(left["molecules"], "molecule")
    relations = counted(left["relations"], "relation") if data["exclude_relations"] else "no relations"
    return f"Left out: {profiles} and {relations} of {molecules}, so that these can be scored honestly."


def _what_it_is(directory: Path, config: Mapping[str, Any]) -> list[Element]:
    """Return sizes, and the options in full for whoever wants them."""
    options = config["config"]
    size = sum(file.stat().st_size for file in directory.rglob("*.safetensors"))
    facts = [
        ("method", str(config["method"])),
        ("views", ", ".join(options["views"])),
        ("width", f"{options['width']:,}"),
        ("decodes", ", ".join(config["dimensions"]["targets"]) or "nothing"),
        ("weights and statistics", f"{size / 2**20:.1f} MB"),
    ]
    rows = [[name, _value(value)] for name, value in sorted(options.items())]
    return [Facts(facts), Fold("All options", [Table(["option", "value"], rows, "Options of the training")])]


def _how_it_was_run(training: Mapping[str, Any]) -> list[Element]:
    """Return the command and what it took."""
    data = training["data"]
    files = [data["exclude"]] if isinstance(data["exclude"], str) else data["exclude"] or []
    left_out = " --exclude-profiles-of FILE" * len(files)
    kept = " --keep-relations" if files and data.get("exclude_relations") is False else ""
    start = data.get("init_encoder")
    options = f" --method {training['method']} --config DIR/config.json{left_out}{kept}"
    facts = [
        (
            "training steps",
            f"{training['seconds']:,.0f} s, {training['molecules_per_second']:,.0f} molecules/s",
        ),
        ("CORPUS", f"SHA-256 {data['corpus']}"),
        *(("FILE", f"SHA-256 {digest}") for digest in files),
        *([("MODEL", str(start))] if start else []),
    ]
    return [
        Sentence("It is made again by"),
        Code(f"cytomol pretrain CORPUS{options}{' --init-encoder MODEL' * bool(start)} -o AGAIN"),
        Facts(facts),
        Sentence("and used by"),
        Code(
            "cytomol finetune assays.csv --backbone DIR -o model\ncytomol embed DIR molecules.csv -o out.csv"
        ),
    ]


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({_percent(part, whole)})"


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _value(value: Any) -> str:
    """Return the value of an option as it is typed."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value)) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
