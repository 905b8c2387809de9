"""``cytomol corpus annotate``: how far profiles can be trusted, and where they were measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.errors import ConfigError

if TYPE_CHECKING:
    from cytomol.corpus.annotate_profiles import ProfileAnnotation
    from cytomol.corpus.join import JoinKey
    from cytomol.corpus.provenance import Correction

__all__ = ["command"]

_PLACE = click.Path(path_type=Path)
_PREFIX = "Metadata_"


@click.command(
    "annotate",
    epilog=examples(
        "cytomol corpus annotate corpus morphology --table corpus/truth/plates/morphology.parquet "
        "--label Plate=plate --correction center --by Plate -o annotated",
    ),
)
@click.argument("directory", type=_PLACE, metavar="CORPUS")
@click.argument("modality")
@click.option("--table", type=_PLACE, help="Table of molecules (or genes) by id, InChIKey or SMILES.")
@click.option(
    "--reliability",
    metavar="COLUMN",
    help="Column of the table that says how far profiles can be trusted, in [-1, 1], such as the correlation "
    "of their replicates.",
)
@click.option(
    "--label",
    multiple=True,
    metavar="[NAME=]COLUMN",
    help="Column that says where profiles were measured; NAME is Plate, Batch or Library. Repeatable.",
)
@click.option(
    "--select",
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Take the rows of the table with this value alone; several of one column are alternatives.",
)
@click.option(
    "--join",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "id", "inchikey", "smiles", "connectivity", "short-id", "name"]),
    help="How rows find their molecules, as in corpus build.",
)
@click.option(
    "--correction",
    type=click.Choice(["none", "center", "standardise"]),
    help="What training shall do to the profiles of one plate or library.",
)
@click.option("--by", metavar="NAME", help="Label by which it does so: Plate, Batch or Library.")
@click.option("-o", "--output", type=_PLACE, help="Directory to write instead of CORPUS.")
@click.option("--force", is_flag=True, help="Replace an existing directory named by -o.")
def command(
    directory: Path,
    modality: str,
    *,
    table: Path | None,
    reliability: str | None,
    label: tuple[str, ...],
    select: tuple[str, ...],
    join: JoinKey,
    correction: Correction | None,
    by: str | None,
    output: Path | None,
    force: bool,
) -> None:
    """Say of the profiles of MODALITY how far they can be trusted, and on which plate they were measured.

    Training weighs profiles by their reliability if asked to (profile_weights), and corrects them for plate
    or library as declared here. CORPUS itself is replaced, unless -o names another directory.

    \b
    cytomol corpus annotate corpus cp --table replicates.csv --reliability replicate_corr
    cytomol corpus annotate corpus cp --table plates.csv --label Plate=plate --correction center --by Plate
    """  # noqa: D301 (click wants the backspace)
    from cytomol.corpus.annotate_profiles import annotate_profiles, correct_by
    from cytomol.corpus.build_report import REPORT, BuildReport, read_build_report
    from cytomol.corpus.manifest import MANIFEST, load_manifest
    from cytomol.corpus.problems import Problems
    from cytomol.corpus.readers import find_reader, read_corpus
    from cytomol.corpus.write import write_corpus
    from cytomol.files import check_output

    if output is not None:
        check_output(output, force=force)
    said = _annotation(table, reliability, label, select, join)
    _check(said is not None, correction, by)
    problems = Problems()
    corpus = read_corpus(directory, problems=problems)
    if output is None and type(find_reader(directory)).__name__ != "OwnLayout":
        raise ConfigError("is in another layout, which is not written", where=str(directory), hint="give -o")
    history = load_manifest(directory).history if (directory / MANIFEST).exists() else ()
    before = set(problems.notes)
    if said is not None:
        corpus = annotate_profiles(corpus, modality, said, problems)
    if correction is not None:
        corpus = correct_by(corpus, modality, correction, _label(by) if by else "")
    corpus = replace(corpus, notes=tuple(dict.fromkeys([*history, *problems.notes])))
    report = read_build_report(directory) if (directory / REPORT).is_file() else None
    write_corpus(
        corpus,
        output or directory,
        force=True,
        report=None if report is None else BuildReport([], problems.notes, [], report),
        beside=None if output else directory,
    )
    for note in problems.notes:
        if note not in before:
            click.echo(note)
    about = corpus.modalities[modality].provenance
    if about.by:
        click.echo(f"{modality}: training corrects it by {about.by} ({about.correction})")
    click.echo(f"wrote {output or directory}")


def _label(name: str) -> str:
    from cytomol.corpus.provenance import LABELS

    full = name if name.startswith(_PREFIX) else _PREFIX + name
    if full not in LABELS:
        known = ", ".join(label.removeprefix(_PREFIX) for label in LABELS)
        raise ConfigError(f"{name!r} is no label of profiles", hint=f"labels: {known}; write NAME=COLUMN")
    return full


def _check(annotated: bool, correction: str | None, by: str | None) -> None:
    """Refuse what says nothing, and half a correction."""
    if not annotated and correction is None:
        raise ConfigError("nothing to say of the profiles: give --table or --correction")
    if (correction in {None, "none"}) != (by is None):
        raise ConfigError("--correction center or standardise goes with --by, and --by with one of them")


def _annotation(
    table: Path | None,
    reliability: str | None,
    label: tuple[str, ...],
    select: tuple[str, ...],
    join: JoinKey,
) -> ProfileAnnotation | None:
    """Return what is said by a table, if one is given."""
    from cytomol.corpus.annotate_profiles import ProfileAnnotation

    if table is None:
        if reliability or label or select:
            raise ConfigError("--reliability, --label and --select name columns of --table, which is missing")
        return None
    if not (reliability or label):
        raise ConfigError("--table is given, but no column of it: give --reliability or --label")
    labels: dict[str, str] = {}
    for text in label:
        name, equals, column = text.partition("=")
        labels[_label(name)] = column if equals else name
    chosen: dict[str, tuple[str, ...]] = {}
    for text in select:
        column, equals, value = text.partition("=")
        if not (column and equals):
            raise ConfigError(f"{text!r} selects nothing", where="--select", hint="write COLUMN=VALUE")
        chosen[column] = (*chosen.get(column, ()), value)
    return ProfileAnnotation(table, reliability or "", labels, chosen, join)
