"""``cytomol evaluate matching``: whether a model finds the profiles of molecules that it has not seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cytomol.cli.examples import examples
from cytomol.cli.row_options import split_names
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.counted import counted

if TYPE_CHECKING:
    import pandas as pd

    from cytomol.corpus.schema import Corpus
    from cytomol.evaluate.matching.candidates import Candidates
    from cytomol.evaluate.matching.entrants import Entrant
    from cytomol.progress import Reporter

__all__ = ["command"]


@click.command(
    name="matching",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol evaluate matching corpus matcher --modality morphology --held-out corpus/heldout.csv",
    ),
)
@click.argument("corpus", metavar="CORPUS")
@click.argument("models", metavar="[MODEL]...", nargs=-1)
@click.option("-m", "--modality", metavar="NAME", help="Whose profiles.  [default: the only one]")
@click.option(
    "--held-out",
    multiple=True,
    metavar="FILE",
    help="Molecules that the models have not learnt from: SMILES or InChIKeys; may be given several times."
    "  [default: a share of the scaffolds, which a model may well have seen]",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.2,
    show_default=True,
    help="Share of the molecules that is held out by scaffold where no FILE says whom.",
)
@click.option("--strata", metavar="FILE", help="Table of labels of molecules, by SMILES or InChIKey.")
@click.option(
    "--stratum",
    "strata_named",
    multiple=True,
    metavar="TEXT",
    help='Ranked among themselves: "COLUMN=VALUE & ...", or "QUERIES in CANDIDATES"; may be given several'
    " times.",
)
@click.option("--same", metavar="COLUMN", help="Label by which mAP counts a candidate as right.")
@click.option(
    "--baselines",
    default="neighbour,ridge,cca",
    show_default=True,
    metavar="NAMES",
    help="Simple matchers fitted on the corpus's other molecules; differences are taken from ridge, or from"
    " the first one. Empty for none.",
)
@click.option(
    "--learn-from", metavar="FILE", help="Molecules that alone the baselines learn from.  [default: all]"
)
@click.option(
    "--way",
    type=click.Choice(["auto", "projected", "decoded"]),
    default="auto",
    show_default=True,
    help="How backbones are compared with profiles.",
)
@click.option("--draws", type=click.IntRange(100), default=2000, show_default=True, help="Of the bootstrap.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of held-out scaffolds and bootstrap.")
@click.option("-o", "--out", metavar="OUT", help="All rows: .csv, .tsv or .parquet.")
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@verify_key_option
def command(
    *,
    corpus: str,
    models: tuple[str, ...],
    modality: str | None,
    held_out: tuple[str, ...],
    share: float,
    strata: str | None,
    strata_named: tuple[str, ...],
    same: str | None,
    baselines: str,
    learn_from: str | None,
    way: str,
    draws: int,
    seed: int,
    out: str | None,
    force: bool,
    quiet: bool,
) -> None:
    """Measure whether MODELs find the profiles of held-out molecules of CORPUS, and molecules by profile.

    CORPUS is a corpus or one table of profiles with structures; a MODEL is what pretrain or matcher made.
    One candidate a connectivity. Ties count by expectation, every figure stands beside what chance is worth
    and has a 95% interval over queries; + and - mark differences from the reference whose interval leaves 0
    out. Without a MODEL the simple matchers are measured alone.
    """
    if out is not None:
        from cytomol.files.outputs import check_output
        from cytomol.tables.write_chunks import open_chunks

        check_output(Path(out), force=force)
    from cytomol.corpus.readers import read_corpus
    from cytomol.progress import Reporter

    reporter = Reporter(quiet=quiet)
    with reporter.step(f"read corpus {corpus}"):
        known = read_corpus(corpus)
    found = _candidates(known, modality, held_out, share=share, seed=seed, reporter=reporter)
    entrants = _entrants(
        known,
        found,
        models,
        held_out=held_out,
        way=way,
        baselines=baselines,
        learn_from=learn_from,
    )
    rows = _ranked(
        entrants,
        found,
        strata=strata,
        named=strata_named,
        same=same,
        draws=draws,
        seed=seed,
        reporter=reporter,
    )
    if out is not None:
        with open_chunks(out, force=force) as writer:
            writer.write(rows)

    from cytomol.evaluate.matching.summary_lines import summary_lines

    for line in summary_lines(rows):
        click.echo(line)


def _candidates(
    corpus: Corpus,
    modality: str | None,
    held_out: tuple[str, ...],
    *,
    share: float,
    seed: int,
    reporter: Reporter,
) -> Candidates:
    from cytomol.evaluate.matching.candidates import find_candidates, held_out_scaffolds
    from cytomol.training.dataset.exclude import connectivity_blocks, listed_blocks

    blocks = connectivity_blocks(corpus)
    if held_out:
        names = set[str]().union(*(listed_blocks(path) for path in held_out))
    else:
        probe = find_candidates(corpus, blocks, modality, set(blocks))
        names = held_out_scaffolds(probe.smiles, probe.blocks, share, seed)
    found = find_candidates(corpus, blocks, modality, names)
    reporter.say(
        f"{len(found):,} held-out molecules with a profile of {found.modality.name}; "
        f"{counted(int(found.rest.sum()), 'profile')} of others to learn from"
    )
    return found


def _entrants(
    corpus: Corpus,
    candidates: Candidates,
    models: tuple[str, ...],
    *,
    held_out: tuple[str, ...],
    way: str,
    baselines: str,
    learn_from: str | None,
) -> list[Entrant]:
    from cytomol.artifact.shipped import model_place
    from cytomol.errors import ConfigError, InputError
    from cytomol.evaluate.matching.candidates import learnable_profiles
    from cytomol.evaluate.matching.entrants import model_entrant, simple_entrants, unlike_names
    from cytomol.files import sha256
    from cytomol.training.dataset.exclude import connectivity_blocks, listed_blocks
    from cytomol.training.dataset.prepare import corpus_digest

    chosen = split_names([baselines], ())
    if not models and not chosen:
        raise ConfigError("nothing to measure", hint="name a MODEL, or --baselines")
    digests, own = {sha256(Path(path)) for path in held_out}, corpus_digest(corpus) if models else ""
    places = [model_place(path) for path in models]
    entrants = [
        model_entrant(
            place,
            candidates,
            name=name,
            held_out=digests,
            corpus=own,
            way=way,  # type: ignore[arg-type]
        )
        for place, name in zip(places, unlike_names(places), strict=True)
    ]
    for entrant in entrants:
        if entrant.seen != "no":
            click.echo(f"{entrant.name}: {_SEEN[entrant.seen]}", err=True)
    rows = candidates.rest
    if learn_from is not None:
        rows = rows & learnable_profiles(
            candidates.modality, connectivity_blocks(corpus), listed=listed_blocks(learn_from)
        )
        if not rows.any():
            raise InputError("lists no molecule with a profile to learn from", where=learn_from)
    return [*entrants, *simple_entrants(chosen, candidates, corpus.smiles, rows)]


_SEEN = {
    "yes": "has learnt from the profiles that it is asked for: its figures say nothing about new molecules",
    "unknown": "nothing says whether it has learnt from the profiles that it is asked for; give the file that"
    " it was pretrained without as --held-out",
}


def _ranked(
    entrants: list[Entrant],
    candidates: Candidates,
    *,
    strata: str | None,
    named: tuple[str, ...],
    same: str | None,
    draws: int,
    seed: int,
    reporter: Reporter,
) -> pd.DataFrame:
    from cytomol.errors import InputError
    from cytomol.evaluate.matching.contest import rank_entrant, rows_of
    from cytomol.evaluate.matching.strata import ALL, read_labels, stratum

    labels = {} if strata is None else read_labels(strata, candidates.blocks)
    if same is not None and same not in labels:
        raise InputError(
            f"no column {same!r} of labels", hint=f"columns of --strata: {', '.join(labels) or 'none'}"
        )
    parts = [stratum(text, labels, len(candidates)) for text in dict.fromkeys([ALL, *named])]
    rankings, seen = {}, {}
    for entrant in entrants:
        with reporter.step(f"match with {entrant.name}"):
            rankings[entrant.name] = rank_entrant(entrant, parts, None if same is None else labels[same])
        seen[entrant.name] = entrant.seen
    names = [entrant.name for entrant in entrants]
    reference = "ridge" if "ridge" in names else names[-1]
    return rows_of(rankings, seen, reference=reference, draws=draws, seed=seed)
