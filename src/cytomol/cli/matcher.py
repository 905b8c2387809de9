"""The verb matcher: fit on a corpus what matches molecules and profiles, without pretraining."""

from __future__ import annotations

from pathlib import Path

import click

from cytomol.cli.examples import examples
from cytomol.cli.verify_key_option import verify_key_option
from cytomol.cli.workers_option import workers_option

__all__ = ["command"]


@click.command(
    name="matcher",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "cytomol matcher corpus --modality morphology --held-out corpus/heldout.csv -o matcher",
    ),
)
@click.argument("corpus", metavar="CORPUS")
@click.option("-o", "--out", required=True, metavar="DIR", help="Model directory to be made.")
@click.option("-m", "--modality", metavar="NAME", help="Whose profiles.  [default: the only one]")
@click.option(
    "--held-out",
    multiple=True,
    metavar="FILE",
    help="Molecules whose profiles it must not learn from, SMILES or InChIKeys; may be given several times.",
)
@click.option(
    "--learn-from",
    metavar="FILE",
    help="Molecules that alone it learns from: those that are like the ones to be matched, drugs say, in a"
    " corpus that holds a screening library too.  [default: all]",
)
@click.option(
    "--backbone",
    metavar="DIR",
    help="What pretrain made, or default, the backbone that comes with cytomol: its embedding says too which"
    " molecules are alike. Pretrain it without the held-out profiles.",
)
@click.option(
    "--noise",
    type=click.FloatRange(0, min_open=True),
    default=2.0,
    show_default=True,
    help="Variance of a profile's noise beside what structure explains.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of folds and sample.")
@workers_option
@click.option("--force", is_flag=True, help="Replace an existing output.")
@click.option("-q", "--quiet", is_flag=True, help="No progress.")
@verify_key_option
def command(
    *,
    corpus: str,
    out: str,
    modality: str | None,
    held_out: tuple[str, ...],
    learn_from: str | None,
    backbone: str | None,
    noise: float,
    seed: int,
    workers: int | None,
    force: bool,
    quiet: bool,
) -> None:
    """Fit on CORPUS what matches molecules and profiles of one modality; minutes, without pretraining.

    CORPUS is a corpus or one table of profiles with structures. `cytomol evaluate matching` measures it.
    """
    from cytomol.files.outputs import check_output

    check_output(Path(out), force=force)
    import json
    from functools import partial

    from cytomol.artifact.backbone import load_backbone, training_record
    from cytomol.cells.matcher.backbone_blocks import BackboneBlocks
    from cytomol.cells.matcher.cell_matcher import MatcherOptions
    from cytomol.cells.matcher.matcher_model import fit_matcher
    from cytomol.cells.matcher.structure_kernel import structure_blocks
    from cytomol.corpus.readers import read_corpus
    from cytomol.evaluate.matching.candidates import learnable_profiles, modality_of
    from cytomol.files import sha256
    from cytomol.progress import Reporter
    from cytomol.training.dataset.exclude import connectivity_blocks, listed_blocks
    from cytomol.training.dataset.prepare import corpus_digest

    reporter = Reporter(quiet=quiet)
    trained = None if backbone is None else load_backbone(backbone)
    with reporter.step(f"read corpus {corpus}"):
        known = read_corpus(corpus)
    chosen, blocks = modality_of(known, modality), connectivity_blocks(known)
    left_out = set[str]().union(*(listed_blocks(path) for path in held_out))
    rows = learnable_profiles(
        chosen, blocks, left_out=left_out, listed=None if learn_from is None else listed_blocks(learn_from)
    )
    extra = None if trained is None else BackboneBlocks(trained)
    model = fit_matcher(
        known.smiles,
        blocks,
        chosen,
        rows=rows,
        options=MatcherOptions(noise=noise, seed=seed),
        extra=extra,
        read=partial(extra or structure_blocks, workers=workers),
        say=reporter.say,
    )
    digests = sorted({sha256(Path(path)) for path in held_out})
    model.facts["data"] = {"corpus": corpus_digest(known), "exclude": digests or None}
    if backbone is not None and trained is not None:
        record = training_record(backbone)
        model.facts["backbone"] = {"method": trained.name, "digest": trained.digest, "data": record}
        if not set(digests) <= set(record.get("exclude") or ()):
            reporter.say(
                "the backbone's record does not say that it was trained without the held-out profiles:"
                " do not measure the matcher on them"
            )
    model.save(out, force=force)
    reporter.say(f"wrote {json.dumps(str(out))}: {model.facts['molecules']:,} molecules")
