"""Ask whether the default beats what costs nothing on 300 molecules: ``python -m benchmarks.newcomer``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.newcomer.experiment import DEFAULT, MOLECULES, PEER, VALIDATIONS, Answer, Draw
from benchmarks.newcomer.rows import RESULTS, add, models_of, read

from cytomol.errors import CytomolError, MissingDependencyError
from cytomol.evaluate.job import source_commit
from cytomol.evaluate.peers import Peer, peers
from cytomol.evaluate.sets import BenchmarkSet, load_set

SET, TASK = "biogenadme", "LOG HLM_CLint (mL/min/kg)"
"""Clearance by human liver microsomes: the first task of the set."""
_MODELS = (DEFAULT, PEER)


def main(arguments: list[str] | None = None) -> int:
    """Measure what the table does not hold yet; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.newcomer", description=__doc__)
    parser.add_argument("--draws", type=int, default=5, help="draws of molecules, each of its own seed (5)")
    parser.add_argument("--crossed", type=int, default=1, help="draws that are cross-validated too (1)")
    parser.add_argument("--molecules", type=int, default=MOLECULES, help=f"molecules of a draw ({MOLECULES})")
    parser.add_argument("--models", nargs="+", choices=_MODELS, default=_MODELS, help="what learns (both)")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS, help="table to write or to go on with")
    options = parser.parse_args(arguments)
    try:
        whole, peer = load_set(SET), _peer() if PEER in options.models else None
        for validation, draws in zip(VALIDATIONS, (options.draws, options.crossed), strict=True):
            for seed in range(draws):
                for line in _measure(whole, seed, validation, peer, options):
                    print(line, file=sys.stderr, flush=True)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _peer() -> Peer | None:
    """Return chemprop; None where it is not installed, which is said."""
    peer = peers[PEER]()
    try:
        peer.require()
    except MissingDependencyError as error:
        print(f"warning: without {PEER}: {error}", file=sys.stderr)
        return None
    return peer


def _measure(
    whole: BenchmarkSet, seed: int, validation: str, peer: Peer | None, options: argparse.Namespace
) -> Iterator[str]:
    """Measure a draw as far as the table does not hold it; say what came out."""
    there = models_of(read(options.output), seed, validation)
    draw = Draw.of(whole, TASK, seed, options.molecules)
    found: list[Answer] = []
    if DEFAULT in options.models and DEFAULT not in there:
        found += draw.own_answers(validation)
        add(options.output, seed, validation, found, source_commit())
    if peer is not None and PEER not in there:
        found.append(draw.peer_answer(peer, draw.folds(validation)))
        add(options.output, seed, validation, found[-1:], source_commit())
    yield from (f"draw {seed}, {validation}, {answer.model}: MAE {answer.mae:.3f}" for answer in found)


if __name__ == "__main__":
    sys.exit(main())
