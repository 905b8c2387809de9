"""Check, build or generate a pretraining corpus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from cytomol.cli.wells import well_options, wells_by_name
from cytomol.errors import ConfigError

if TYPE_CHECKING:
    from cytomol.corpus.assemble import JoinOptions, ProfileSource, RelationSource
    from cytomol.corpus.problems import Problems
    from cytomol.corpus.schema import Corpus, Entity

__all__ = ["command"]

_PLACE = click.Path(path_type=Path)


@click.group("corpus")
def command() -> None:
    """Check, build or generate a pretraining corpus."""


@command.command("check")
@click.argument("directory", type=_PLACE)
@click.option("--format", "format_", default="auto", show_default=True, help="Format, if it is not obvious.")
def check(directory: Path, format_: str) -> None:
    """Print what a corpus holds and what is wrong with it.

    DIRECTORY is a corpus in any known format (own layout, InfoAlign/CHMR layout, or one table of profiles
    with SMILES). Exits with 1 when there are errors: tables that cannot be read or of which no id joins,
    infinite values, weights outside [-1, 1], repeated ids, no valid molecule, modalities without values.
    Everything else is a warning: NaN, empty, constant, duplicated or heavy-tailed columns, SMILES that do
    not parse, repeated molecules, single ids that join nothing. Rows are counted from 1, without the header.
    """
    from cytomol.corpus.check import check_corpus
    from cytomol.corpus.problems import Problems
    from cytomol.corpus.readers import read_corpus

    problems = Problems(strict=False)
    corpus = read_corpus(directory, format_, problems=problems)
    report = check_corpus(corpus, problems=problems)
    click.echo(report.text(), nl=False)
    if not report.ok:
        raise SystemExit(1)


@command.command("planted")
@click.option("-o", "--output", required=True, type=_PLACE, help="Directory to write.")
@click.option(
    "--size", default=2000, show_default=True, type=click.IntRange(200, 1_000_000), help="Molecules."
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(min=0), help="Random seed.")
@click.option("--force", is_flag=True, help="Replace an existing directory.")
def planted(output: Path, size: int, seed: int, force: bool) -> None:
    """Generate a corpus whose truth is known, for trying things out and for tests."""
    from cytomol.corpus.planted import write_planted
    from cytomol.files import check_output

    check_output(output, force=force)
    write_planted(output, size=size, seed=seed, force=force)
    click.echo(f"wrote a planted corpus of {size:,} molecules to {output}")


@command.command("build")
@click.option("-o", "--output", required=True, type=_PLACE, help="Directory to write.")
@click.option(
    "--molecules", type=_PLACE, help="Molecules: CSV, TSV, Parquet, .smi or .sdf, with ids if there are any."
)
@click.option(
    "--from", "source", type=_PLACE, help="Existing corpus in any known format, instead of --molecules."
)
@click.option("--format", "format_", default="auto", show_default=True, help="Format of --from.")
@click.option("--genes", type=_PLACE, help="Table of genes: symbols, and Entrez ids if known.")
@click.option("--smiles-col", help="Column of SMILES in --molecules.")
@click.option("--id-col", help="Column of ids in --molecules.")
@click.option(
    "--profiles", multiple=True, metavar="NAME:KIND:PATH", help="Profiles of molecules; repeatable."
)
@click.option(
    "--gene-profiles", multiple=True, metavar="NAME:KIND:PATH", help="Profiles of genes; repeatable."
)
@click.option(
    "--relation", multiple=True, metavar="NAME:SRC:DST:PATH", help="Links; SRC and DST are molecule or gene."
)
@click.option(
    "--join",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "id", "inchikey", "connectivity", "smiles"]),
    help="How profiles find their molecules; connectivity is the first block of the InChIKey.",
)
@click.option(
    "--molecule-id",
    multiple=True,
    metavar="[NAME=]COLUMN",
    help="Column of molecule ids in the profiles (of table NAME), if its name does not say so.",
)
@click.option(
    "--aggregate",
    default="median",
    show_default=True,
    type=click.Choice(["median", "mean", "none"]),
    help="What becomes of the wells of one molecule.",
)
@well_options
@click.option("--force", is_flag=True, help="Replace an existing directory.")
def build(output: Path, force: bool, **options: Any) -> None:
    """Write a corpus in the own layout from tables in other formats.

    Profiles are pycytominer tables (CSV or Parquet), AnnData (.h5ad), GCT or GCTX. NAME is the name that
    the modality will have, KIND says what was measured: morphology, expression, perturbation or another
    word.

    \b
    cytomol corpus build -o corpus --molecules molecules.csv \\
        --profiles cp:morphology:profiles.csv.gz --profiles l1000:expression:level5.gctx
    cytomol corpus build -o corpus --molecules molecules.csv \\
        --profiles cp:morphology:plate1.csv --profiles cp:morphology:plate2.csv --select dose=max
    cytomol corpus build -o corpus --from pretrain/raw

    Tables of one NAME become one modality. Features are what is left when ids, metadata (Metadata_...,
    plate, well, dose, time) and counts are taken away. Vehicle and untreated wells are left out. What
    became of every row is said in build.json beside the corpus.
    """  # noqa: D301 (click wants the backspace)
    from cytomol.corpus.assemble import extend_corpus
    from cytomol.corpus.problems import Problems
    from cytomol.corpus.report import BuildReport
    from cytomol.corpus.write import write_corpus
    from cytomol.files import check_output

    check_output(output, force=force)
    profiles = [_profiles(text, "molecule") for text in options["profiles"]]
    profiles += [_profiles(text, "gene") for text in options["gene_profiles"]]
    relations = [_relation(text) for text in options["relation"]]
    join = replace(
        _join_options(options), wells=wells_by_name(options, dict.fromkeys(p.name for p in profiles))
    )
    problems = Problems()
    corpus = _start(options, problems)
    corpus = extend_corpus(corpus, profiles, relations, problems=problems, options=join)
    before = _report_before(options["source"])
    joins = [str(report) for report in problems.joins]
    report = BuildReport(problems.built, problems.notes, joins, before)
    write_corpus(corpus, output, force=force, report=report)
    _summary(corpus, problems, output)


def _report_before(source: Path | None) -> dict[str, Any] | None:
    """Return the report of the corpus that is extended, if it has one."""
    from cytomol.corpus.report import REPORT, read_build_report

    if source is None or not (source / REPORT).is_file():
        return None
    return read_build_report(source)


def _start(options: dict[str, Any], problems: Problems) -> Corpus:
    """Return the corpus to which the tables are added."""
    from cytomol.corpus.assemble import start_corpus
    from cytomol.corpus.readers import read_corpus

    if (options["molecules"] is None) == (options["source"] is None):
        raise ConfigError("either --molecules or --from is needed, and not both")
    if options["source"] is not None:
        ignored = [name for name in ("genes", "smiles_col", "id_col") if options[name] is not None]
        if ignored:
            raise ConfigError(f"--{ignored[0].replace('_', '-')} goes with --molecules, not with --from")
        return read_corpus(options["source"], options["format_"], problems=problems)
    return start_corpus(
        options["molecules"],
        options["genes"],
        problems=problems,
        smiles_col=options["smiles_col"],
        id_col=options["id_col"],
    )


def _profiles(text: str, entity: Entity) -> ProfileSource:
    from cytomol.corpus.assemble import ProfileSource

    name, kind, path = _parts(text, 3, "NAME:KIND:PATH")
    return ProfileSource(name, kind, Path(path), entity)


def _relation(text: str) -> RelationSource:
    from cytomol.corpus.assemble import RelationSource
    from cytomol.corpus.schema import Entity

    name, source, target, path = _parts(text, 4, "NAME:SRC:DST:PATH")
    for end in (source, target):
        if end not in get_args(Entity):
            raise ConfigError(f"{end!r} is neither molecule nor gene", where=text)
    return RelationSource(name, source, target, Path(path))  # type: ignore[arg-type]


def _parts(text: str, count: int, form: str) -> list[str]:
    parts = text.split(":", count - 1)
    if len(parts) < count or not all(parts):
        raise ConfigError("does not have the form " + form, where=text)
    return parts


def _join_options(options: dict[str, Any]) -> JoinOptions:
    from cytomol.corpus.assemble import JoinOptions

    columns: dict[str, str] = {}
    for text in options["molecule_id"]:
        name, _, column = text.rpartition("=")
        columns[name] = column
    return JoinOptions(options["join"], columns, options["aggregate"])


def _summary(corpus: Corpus, problems: Problems, output: Path) -> None:
    """Print how every table joined, what was noted, and what was written."""
    for report in problems.joins:
        click.echo(str(report))
    told = {str(report) for report in problems.joins}
    for built in problems.built:
        for line in built.lines():
            click.echo(line)
            told.add(line)
    for note in problems.notes:
        if note not in told:
            click.echo(note)
    click.echo(f"wrote {output}: {len(corpus):,} molecules, {len(corpus.genes):,} genes")
    for modality in corpus.modalities.values():
        click.echo(
            f"  {modality.name} ({modality.kind}): {len(modality):,} profiles of {modality.entity}s"
            f" x {modality.width:,} features"
        )
    for relation in corpus.relations.values():
        ends = f"{relation.source_entity} - {relation.target_entity}"
        click.echo(f"  {relation.name}: {len(relation):,} links {ends}")
    click.echo(f"what became of every row: {output / 'build.json'}")
    click.echo(f"look it over with: cytomol corpus check {output}")
