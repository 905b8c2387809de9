"""Check, build or generate a pretraining corpus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from cytomol.cli.corpus_annotate import command as annotate
from cytomol.cli.examples import examples
from cytomol.cli.well_options import well_options, wells_by_name
from cytomol.counted import counted
from cytomol.errors import ConfigError

if TYPE_CHECKING:
    from cytomol.corpus.assemble import JoinOptions, ProfileSource, RelationSource
    from cytomol.corpus.build_report import BuildReport
    from cytomol.corpus.problems import Problems
    from cytomol.corpus.schema import Corpus, Entity

__all__ = ["command"]

_PLACE = click.Path(path_type=Path)


@click.group(
    "corpus",
    epilog=examples("cytomol corpus planted -o corpus --size 500", "cytomol corpus check corpus"),
)
def command() -> None:
    """Check, build or generate a pretraining corpus."""


@command.command("check", epilog=examples("cytomol corpus check corpus"))
@click.argument("directory", type=_PLACE)
@click.option("--format", "format_", default="auto", show_default=True, help="Format, if it is not obvious.")
def check(directory: Path, format_: str) -> None:
    """Print what a corpus holds and what is wrong with it.

    DIRECTORY is a corpus in any known format (own layout, InfoAlign/CHMR layout, or one table of profiles
    with SMILES). Exits with 1 when there are errors: tables that cannot be read or of which no id joins,
    infinite values, weights outside [-1, 1], repeated ids, ids and InChIKeys that contradict the structure
    beside them, no valid molecule, modalities without values.
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


@command.command("planted", epilog=examples("cytomol corpus planted -o corpus --size 500"))
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


@command.command(
    "build",
    epilog=examples(
        "cytomol corpus build --molecules corpus/molecules.parquet "
        "--profiles painting:morphology:corpus/modalities/morphology.parquet -o painting",
    ),
)
@click.option("-o", "--output", required=True, type=_PLACE, help="Directory to write.")
@click.option(
    "--molecules",
    type=_PLACE,
    help="Molecules: CSV, TSV, Parquet, .smi or .sdf, with ids if there are any; without it, profiles with a"
    " column of SMILES bring their molecules.",
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
    type=click.Choice(["auto", "id", "inchikey", "smiles", "connectivity", "short-id", "name"]),
    help="How profiles find their molecules. auto: row by row by id, InChIKey or SMILES; connectivity (first"
    " block of the InChIKey), short-id (BRD-K and 8 digits) and name join what auto leaves.",
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
@click.option(
    "--metadata",
    multiple=True,
    metavar="[NAME:]PATH",
    help="Table of metadata for the rows of the profiles (of table NAME), joined by the ids that both have.",
)
@click.option(
    "--gene-aliases",
    type=_PLACE,
    help="Table of genes with previous symbols and aliases, as HGNC publishes it.",
)
@click.option(
    "--new-molecules/--no-new-molecules",
    default=None,
    help="Whether profiles with a SMILES of their own bring molecules that are not there; by default they do"
    " where no --molecules are given.",
)
@click.option(
    "--contradictions",
    default="error",
    show_default=True,
    type=click.Choice(["error", "leave-out"]),
    help="What becomes of rows whose structure is not that of the molecule their id names.",
)
@well_options
@click.option("--force", is_flag=True, help="Replace an existing directory.")
def build(output: Path, force: bool, **options: Any) -> None:
    """Write a corpus in the own layout from tables in other formats.

    Profiles are pycytominer tables (CSV or Parquet), AnnData (.h5ad), GCT or GCTX. NAME is the name that
    the modality will have, KIND says what was measured: morphology, expression, perturbation or another
    word. --molecules may be left out where profiles have a column of SMILES.

    \b
    cytomol corpus build -o corpus --molecules molecules.csv \\
        --profiles cp:morphology:profiles.csv.gz --profiles l1000:expression:level5.gctx
    cytomol corpus build -o corpus --profiles cp:morphology:cp.csv --profiles ge:expression:l1000.csv
    cytomol corpus build -o corpus --molecules molecules.csv \\
        --profiles cp:morphology:plate1.csv --profiles cp:morphology:plate2.csv --select dose=max
    cytomol corpus build -o corpus --from pretrain/raw

    Tables of one NAME become one modality. Features are what is left when ids, metadata (Metadata_...,
    plate, well, dose, time) and counts are taken away. Vehicle and untreated wells are left out. What
    became of every row is said in build.json beside the corpus.
    """  # noqa: D301 (click wants the backspace)
    from cytomol.corpus.assemble import extend_corpus
    from cytomol.corpus.problems import Problems
    from cytomol.corpus.write import write_corpus
    from cytomol.files import check_output

    check_output(output, force=force)
    profiles, relations = _sources(options)
    join = _join_options(options)
    problems = Problems()
    corpus = _start(options, problems)
    corpus = extend_corpus(corpus, profiles, relations, problems=problems, options=join)
    write_corpus(corpus, output, force=force, report=_report(problems, options["source"]))
    _summary(corpus, problems, output)


def _add(directory: Path, output: Path | None, force: bool, **options: Any) -> None:
    """Add tables to a corpus: further modalities, or further rows of those that it has.

    Profiles join as for build; a NAME that the corpus has gets further rows, over the union of the
    features. Molecules that profiles bring come last, so that ids and rows that are there never change.
    CORPUS itself is replaced, unless -o names another directory.
    """
    from cytomol.corpus.assemble import extend_corpus
    from cytomol.corpus.manifest import MANIFEST, load_manifest
    from cytomol.corpus.problems import Problems
    from cytomol.corpus.readers import find_reader, read_corpus
    from cytomol.corpus.write import write_corpus
    from cytomol.files import check_output

    if output is not None:
        check_output(output, force=force)
    profiles, relations = _sources(options)
    if not (profiles or relations):
        raise ConfigError("nothing to add: give --profiles, --gene-profiles or --relation")
    join = replace(_join_options(options, new_molecules=True), extend=True)
    problems = Problems()
    corpus = read_corpus(directory, problems=problems)
    if output is None and type(find_reader(directory)).__name__ != "OwnLayout":
        raise ConfigError("is in another layout, which is not written", where=str(directory), hint="give -o")
    history = load_manifest(directory).history if (directory / MANIFEST).exists() else ()
    corpus = extend_corpus(corpus, profiles, relations, problems=problems, options=join)
    corpus = replace(corpus, notes=tuple(dict.fromkeys([*history, *problems.notes])))
    write_corpus(
        corpus,
        output or directory,
        force=True,
        report=_report(problems, directory),
        beside=None if output else directory,
    )
    _summary(corpus, problems, output or directory)


_NOT_FOR_ADD = ("output", "molecules", "source", "format_", "genes", "smiles_col", "id_col", "force")
command.add_command(
    click.Command(
        "add",
        callback=_add,
        help=_add.__doc__,
        epilog=examples(
            "cytomol corpus add painting --profiles l1000:expression:corpus/modalities/expression.parquet "
            "-o both",
        ),
        params=[
            click.Argument(["directory"], type=_PLACE, metavar="CORPUS"),
            click.Option(["-o", "--output"], type=_PLACE, help="Directory to write instead of CORPUS."),
            *(param for param in build.params if param.name not in _NOT_FOR_ADD),
            click.Option(["--force"], is_flag=True, help="Replace an existing directory named by -o."),
        ],
    )
)


command.add_command(annotate)


def _sources(options: dict[str, Any]) -> tuple[list[ProfileSource], list[RelationSource]]:
    profiles = [_profiles(text, "molecule") for text in options["profiles"]]
    profiles += [_profiles(text, "gene") for text in options["gene_profiles"]]
    return profiles, [_relation(text) for text in options["relation"]]


def _report(problems: Problems, source: Path | None) -> BuildReport:
    """Return the report of a build, with that of the corpus that is extended, if it has one."""
    from cytomol.corpus.build_report import REPORT, BuildReport, read_build_report

    before = None if source is None or not (source / REPORT).is_file() else read_build_report(source)
    return BuildReport(problems.built, problems.notes, [str(join) for join in problems.joins], before)


def _start(options: dict[str, Any], problems: Problems) -> Corpus:
    """Return the corpus to which the tables are added."""
    from cytomol.corpus.assemble import start_corpus
    from cytomol.corpus.readers import read_corpus

    if options["molecules"] is not None and options["source"] is not None:
        raise ConfigError("either --molecules or --from is needed, and not both")
    if options["molecules"] is None and options["source"] is None and not options["profiles"]:
        raise ConfigError("--molecules, --from or --profiles is needed")
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


def _join_options(options: dict[str, Any], *, new_molecules: bool | None = None) -> JoinOptions:
    from cytomol.corpus.assemble import JoinOptions

    columns: dict[str, str] = {}
    for text in options["molecule_id"]:
        name, _, column = text.rpartition("=")
        columns[name] = column
    metadata: dict[str, tuple[Path, ...]] = {}
    names = dict.fromkeys(text.split(":", 1)[0] for text in (*options["profiles"], *options["gene_profiles"]))
    for text in options["metadata"]:
        name, colon, path = text.partition(":")
        if not colon or (name not in names and Path(text).exists()):
            name, path = "", text
        metadata[name] = (*metadata.get(name, ()), Path(path))
    if options["new_molecules"] is not None:
        new_molecules = options["new_molecules"]
    elif new_molecules is None:
        new_molecules = options["molecules"] is None and options["source"] is None
    return JoinOptions(
        key=options["join"],
        columns=columns,
        aggregate=options["aggregate"],
        metadata=metadata,
        gene_aliases=options["gene_aliases"],
        new_molecules=new_molecules,
        leave_out=options["contradictions"] == "leave-out",
        wells=wells_by_name(options, names),
    )


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
    molecules, genes = counted(len(corpus), "molecule"), counted(len(corpus.genes), "gene")
    click.echo(f"wrote {output}: {molecules}, {genes}")
    for modality in corpus.modalities.values():
        click.echo(
            f"  {modality.name} ({modality.kind}): {counted(len(modality), 'profile')} of {modality.entity}s"
            f" x {counted(modality.width, 'feature')}"
        )
    for relation in corpus.relations.values():
        ends = f"{relation.source_entity} - {relation.target_entity}"
        click.echo(f"  {relation.name}: {counted(len(relation), 'link')} {ends}")
    click.echo(f"what became of every row: {output / 'build.json'}")
    click.echo(f"look it over with: cytomol corpus check {output}")
