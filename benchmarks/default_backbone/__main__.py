"""Make the backbone that comes with the package, and measure it: ``python -m benchmarks.default_backbone``.

Needs the corpus and the nine sets below ``CYTOMOL_DATA``. Cut at any time, it goes on when called again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.default_backbone.card import card
from benchmarks.default_backbone.choose import CHOICE_SETS, best_form, score_form, write_choice
from benchmarks.default_backbone.compare import SETS, Entrant, score, write_rows
from benchmarks.default_backbone.corpus import COUNTS, open_corpus
from benchmarks.default_backbone.pack import pack
from benchmarks.default_backbone.page import PAGE, page
from benchmarks.default_backbone.plan import CHOSEN, FORMS, options_of
from benchmarks.quality.backbones import corpus_folder, evaluated_molecules

from cytomol.artifact.shipped import SHIPPED_FOLDER
from cytomol.errors import CytomolError

__all__ = ["main"]

_ROWS = Path(__file__).parents[1] / "results" / "default_backbone.csv"
_CHOICE = _ROWS.with_name("default_backbone_forms.csv")
_STAGES = ("corpus", "pretrain", "choose", "pack", "compare", "page")
_DEFAULT, _FINGERPRINTS = "default", "fingerprints"


def main(arguments: list[str] | None = None) -> int:
    """Run the stages that are asked for; return the exit status."""
    options = _options(arguments)
    try:
        for stage in options.only:
            _run(stage, options)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.default_backbone", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("default-backbone"), help="folder of what is made")
    parser.add_argument("--only", type=_names(_STAGES), default=_STAGES, help=f"of {','.join(_STAGES)} (all)")
    parser.add_argument("--form", choices=tuple(FORMS), default=CHOSEN, help=f"what is trained ({CHOSEN})")
    parser.add_argument("--sets", type=_names(SETS), default=SETS, help="sets to compare on (all nine)")
    parser.add_argument(
        "--against",
        type=_pair,
        action="append",
        default=[],
        metavar="NAME=DIR",
        help="another backbone to compare with; may be given several times",
    )
    parser.add_argument(
        "--variant",
        choices=("shipped", "blind", "full"),
        default="shipped",
        help="what is pretrained: as shipped; blind, without what is known of train folds' molecules too, "
        "in WORK/FORM-blind; full, on the whole corpus whatever its licences, in WORK/FORM-full",
    )
    parser.add_argument("--threads", type=int, default=1, help="threads of the training (1)")
    return parser.parse_args(arguments)


def _names(known: Sequence[str]) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        chosen = tuple(text.split(","))
        if unknown := [name for name in chosen if name not in known]:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose of {', '.join(known)}")
        return chosen

    return read


def _pair(text: str) -> Entrant:
    name, _, path = text.partition("=")
    if not name or not path:
        raise argparse.ArgumentTypeError(f"{text!r}: write NAME=DIR")
    return Entrant(name, path)


def _run(stage: str, options: argparse.Namespace) -> None:
    work: Path = options.work
    trained = work / (options.form if options.variant == "shipped" else f"{options.form}-{options.variant}")
    work.mkdir(parents=True, exist_ok=True)
    match stage:
        case "corpus":
            print(open_corpus(work))
        case "pretrain":
            _pretrain(options, trained)
        case "choose":
            tried = [Entrant(_FINGERPRINTS, ""), *_forms(work), *options.against]
            for name in (name for name in CHOICE_SETS if name in options.sets):
                for entrant in tried:
                    print(score_form(entrant, name, work), flush=True)
            print("best:", best_form(write_choice(tried, work, _CHOICE)))
        case "pack":
            counts = json.loads((work / COUNTS).read_text(encoding="utf-8"))
            print(pack(trained, SHIPPED_FOLDER, card(trained, counts)))
        case "compare":
            entrants = [Entrant(_FINGERPRINTS, ""), *options.against, Entrant(_DEFAULT, _DEFAULT)]
            for name in options.sets:
                for entrant in entrants:
                    print(score(entrant, name, work), flush=True)
            against = options.against[0].name if options.against else _FINGERPRINTS
            write_rows(entrants, {_DEFAULT: against}, work, _ROWS)
        case "page":
            PAGE.write_text(page(_ROWS, _CHOICE), encoding="utf-8")
            print(PAGE)


def _forms(work: Path) -> list[Entrant]:
    return [Entrant(form, str(work / form)) for form in FORMS if _trained(work / form)]


def _trained(directory: Path) -> bool:
    return (directory / "manifest.json").is_file()


def _pretrain(options: argparse.Namespace, trained: Path) -> None:
    """Pretrain the form, or go on with it, without what is known of the evaluated molecules."""
    if _trained(trained):
        return
    hidden = evaluated_molecules(options.work, train_too=options.variant == "blind")
    corpus = corpus_folder() if options.variant == "full" else open_corpus(options.work)
    words = [
        *(sys.executable, "-m", "cytomol", "pretrain", str(corpus)),
        *options_of(options.form),
        *("--threads", str(options.threads), "--exclude-profiles-of", str(hidden)),
        *("-o", str(trained)),
    ]
    if trained.with_name(f"{trained.name}.partial").exists():
        words.append("--resume")
    print("$ cytomol", " ".join(words[3:]), flush=True)
    subprocess.run(words, check=True)


if __name__ == "__main__":
    sys.exit(main())
