"""The verb match: which molecules go with a profile, which profiles with a molecule, who acts alike."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cytomol.cli.examples import examples
from cytomol.cli.report_beside import report_beside, report_option
from cytomol.cli.row_options import pass_options, split_names
from cytomol.cli.stream_options import Streaming, check_answers_name, stream_options
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.counted import agreeing, counted

if TYPE_CHECKING:
    from cytomol.cells.match.match_index import PlaceIndex
    from cytomol.cells.match.match_library import Library
    from cytomol.cells.match.match_table import MatchTable
    from cytomol.cells.space import Space
    from cytomol.progress import Reporter

__all__ = ["command"]

_ONE_PLACE = 0.99  # length of the mean place from which candidates are all but one
_CHUNK_ROWS = 4096  # a query has many answers
_HOLDS = click.Choice(["molecules", "profiles"])


@click.command(
    name="match",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol match backbone corpus/modalities/morphology.parquet --in "
        "corpus/molecules.parquet --modality morphology -o matches.csv",
    ),
)
@click.argument("model", metavar="DIR")
@click.argument("queries", metavar="QUERIES")
@click.option("--in", "candidates", required=True, metavar="CANDIDATES", help="Table of candidates.")
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="OUT",
    help="Output: .csv, .tsv, .parquet, .h5ad or a FOLDER/ of Parquet files.",
)
@click.option(
    "--modality", metavar="NAME", help="Kind of profile.  [default: the only one that the model knows]"
)
@click.option(
    "--way",
    type=click.Choice(["auto", "projected", "decoded"]),
    default="auto",
    show_default=True,
    help="Compare projections (CHMR, contrastive) or decoded profiles (InfoAlign, CHMR).",
)
@click.option(
    "--top", type=click.IntRange(1), default=10, show_default=True, help="Candidates for each query."
)
@click.option("--queries-are", type=_HOLDS, help="What QUERIES holds.  [default: told by its columns]")
@click.option("--candidates-are", type=_HOLDS, help="What CANDIDATES holds.  [default: told by its columns]")
@click.option("--query-id", metavar="NAME", help="Column with the ids of the queries.")
@click.option("--candidate-id", metavar="NAME", help="Column with the ids of the candidates.")
@click.option("--query-smiles", metavar="NAME", help="Column with the SMILES of the queries.")
@click.option("--candidate-smiles", metavar="NAME", help="Column with the SMILES of the candidates.")
@click.option("--query-layer", metavar="NAME", help="Matrix of an AnnData file of queries.  [default: X]")
@click.option(
    "--candidate-layer", metavar="NAME", help="Matrix of an AnnData file of candidates.  [default: X]"
)
@click.option("--keep", multiple=True, metavar="A,B", help="Columns of CANDIDATES to hold in the output.")
@click.option(
    "--library",
    metavar="FOLDER",
    help="Keep the placed candidates here; the next call with the same model and file takes them from here.",
)
@click.option(
    "--index",
    type=click.Choice(["auto", "exact", "index"]),
    default="auto",
    show_default=True,
    help="Compare all pairs, or ask an index, which is built once in the library. auto asks it for kept "
    "candidates from 200,000.",
)
@report_option
@partial(stream_options, rows=_CHUNK_ROWS)
@pass_options
@verify_key_option
def command(*, model: str, out: str, report: bool, force: bool, quiet: bool, **options: Any) -> None:
    """Rank the molecules or profiles of CANDIDATES for each molecule or profile of QUERIES.

    DIR is what pretrain or matcher made, or default, the backbone that comes with cytomol. A table with the
    modality's features holds profiles, in any format that a corpus is built of; one with SMILES and without
    features holds molecules. Every row of QUERIES is answered in order, by up to --top rows: the candidate's
    row (from 1), id and SMILES, the similarity (a cosine), top_percent (the share of candidates that rank as
    high or higher), spreads (how many standard deviations it lies above the mean of all candidates), a note
    where the order says nothing, and 'error' where a query has no place. Beside OUT.csv lies
    OUT.report.html, with the first queries drawn (none beside a FOLDER/).
    """
    check_answers_name(out, force=force, by_chunks=True)
    whole = out.lower().endswith(".h5ad")
    if whole and options["resume"]:
        raise click.UsageError(
            "an .h5ad file of matches is written when all are found, so there is nothing to --resume: use"
            " .csv or .parquet"
        )

    from cytomol.cells.match.match import queries_at_once
    from cytomol.cells.match.match_candidates import placed_candidates
    from cytomol.cells.match.match_table import match_table
    from cytomol.cells.matcher.open_space import open_space
    from cytomol.nn.allocator import keep_few_kernels
    from cytomol.progress import Reporter

    keep_few_kernels()
    reporter = Reporter(quiet=quiet)
    space = open_space(model, options["modality"], options["way"])
    modality = space.modality
    queries, candidates = (
        match_table(
            options[table],
            modality,
            holds=options[f"{table}_are"],
            smiles_col=options[f"{one}_smiles"],
            id_col=options[f"{one}_id"],
            layer=options[f"{one}_layer"],
        )
        for table, one in (("queries", "query"), ("candidates", "candidate"))
    )
    for what, table in (("queries", queries), ("candidates", candidates)):
        reporter.say(f"{what}: {table.path}, taken as {_named(table.holds, modality.name)}")
    rows = min(options["chunk_rows"], queries_at_once(options["top"]))
    streaming = Streaming(out, rows, options["resume"], force, quiet, options["workers"])
    in_parts = streaming.wanted(queries.rows_of(modality))
    if in_parts and whole:
        reporter.say(
            f"{out} holds the matches of all {queries.rows_of(modality).rows:,} queries in memory until it is"
            " written: .csv, .parquet and FOLDER/ are written in parts"
        )
    names = [name for text in options["keep"] for name in split_names([text], ())]
    machine = {name: options[name] for name in ("batch_size", "workers")}
    folder = None if options["library"] is None else Path(options["library"])
    with ExitStack() as stack:
        with reporter.bar("place candidates") as advance:
            placed = placed_candidates(candidates, space, folder, keep=names, progress=advance, **machine)
            library = stack.enter_context(placed)
        _say_candidates(reporter, library)
        index = _index(library, options["index"], reporter, kept=folder is not None)
        asked: dict[str, Any] = {
            "top": options["top"],
            "keep": names,
            "query_smiles": queries.holds == "molecules" or queries.smiles_col is not None,
        }
        answer = _in_parts if in_parts and not whole else _at_once
        total, invalid, first_error = answer(
            space,
            queries,
            library,
            index,
            streaming=streaming,
            asked=asked,
            options={**options, "model": model},
        )
    if invalid == total:
        click.echo(f"no query has a place; {first_error}", err=True)
    placed_ones = counted(library.valid, "candidate")
    reporter.say(f"matched {total - invalid:,} of {total:,} queries with {placed_ones}: {out}")
    if report and not out.endswith(("/", "\\")):
        report_beside(out, quiet=quiet)


def _at_once(
    space: Space,
    queries: MatchTable,
    library: Library,
    index: PlaceIndex | None,
    *,
    streaming: Streaming,
    asked: dict[str, Any],
    options: dict[str, Any],
) -> tuple[int, int, str]:
    """Match queries and write as they come; return how many, how many invalid, and why the first is."""
    from cytomol.cells.match.match import match_rows
    from cytomol.cells.match.match_output import write_matches
    from cytomol.progress import Reporter

    machine = {name: options[name] for name in ("batch_size", "workers")}
    with Reporter(quiet=streaming.quiet).bar("match") as advance:
        parts = match_rows(
            space, queries, library, top=asked["top"], index=index, progress=advance, **machine
        )
        answered = write_matches(
            streaming.out,
            parts,
            library,
            keep=asked["keep"],
            query_smiles=asked["query_smiles"],
            origin={"model": space.digest, "modality": space.modality.name, "way": space.way},
            force=streaming.force,
        )
    return answered.queries, answered.invalid, answered.first_error


def _in_parts(
    space: Space,
    queries: MatchTable,
    library: Library,
    index: PlaceIndex | None,
    *,
    streaming: Streaming,
    asked: dict[str, Any],
    options: dict[str, Any],
) -> tuple[int, int, str]:
    """Match a long table of queries chunk by chunk; returns as `_at_once`."""
    from cytomol.scale.match_job import MatchJob
    from cytomol.tables.write_chunks import Layout

    job = MatchJob(
        options["model"],
        options["modality"],
        options["way"],
        queries,
        library.folder,
        index is not None,
        asked["top"],
        tuple(asked["keep"]),
        asked["query_smiles"],
        options["batch_size"],
        streaming.of_chunk,
        space,
    )
    origin = {"model": space.digest, "modality": space.modality.name, "way": space.way}
    columns = {name: getattr(queries, name) for name in ("holds", "smiles_col", "id_col", "layer")}
    answered = streaming.answer(
        queries.rows_of(space.modality),
        job,
        bar="match",
        verb="matched",
        asked={
            **origin,
            "candidates": library.about["places"],
            "indexed": job.indexed,
            "queries": columns,
            "options": {**asked, "batch_size": job.batch_size},
        },
        on_error="keep",
        layout=Layout(),
        say=False,
    )
    errors = answered.errors
    return errors.rows, errors.invalid, errors.reason


def _named(holds: str, modality: str) -> str:
    return f"profiles of {modality}" if holds == "profiles" else "molecules"


def _say_candidates(report: Reporter, library: Library) -> None:
    """Say how many candidates have a place, and whether the model tells them apart."""
    if library.valid < library.rows:
        lack = agreeing(library.rows - library.valid, "candidate", "has", "have", of=library.rows)
        report.say(f"{lack} no place ({library.about['first_error']})")
    length = float((library.crowd.mean**2).sum() ** 0.5)
    if length > _ONE_PLACE and library.valid > 1:
        report.say(
            f"the candidates stand almost in one place (mean of length {length:.4f}): the model hardly tells "
            "them apart, and the order says little"
        )


def _index(library: Library, how: str, report: Reporter, *, kept: bool) -> PlaceIndex | None:
    """Return the index to ask, built where it is missing; None compares all pairs."""
    from cytomol.cells.match.match_index import INDEX_FROM, PlaceIndex, build_index

    if how == "exact" or (how == "auto" and not (kept and library.valid > INDEX_FROM)):
        return None
    if PlaceIndex.exists(library):
        index = PlaceIndex(library)
    else:
        with report.bar("build index") as advance:
            index = build_index(library, advance)
    report.say(
        f"index: recall {index.recall.value:.3f}, measured when it was built, on {index.recall.rows:,} "
        "candidates"
    )
    return index
