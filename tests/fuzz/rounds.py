"""Rounds of the long run of the fuzz drivers, which processes of `python -m tests.fuzz` take one by one."""

from __future__ import annotations

import importlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Row:
    """What the rounds of a driver came to, the processor's seconds and the number of failures among it."""

    driver: str
    rounds: int = 0
    cases: int = 0
    seconds: float = 0.0
    failures: int = 0


def names() -> list[str]:
    """Return the names of all drivers."""
    from tests.fuzz.driver import Driver

    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"tests.fuzz.{path.stem}")
    return list(Driver.all)


def prepare() -> None:
    """Make what the drivers need in a process: a cache, the model that is damaged, compiled loops."""
    from tests.conftest import write_untrained
    from tests.fuzz.inputs import SMILES
    from tests.fuzz.test_model_directory import use

    from cytomol.chem.chunk import featurize_chunk
    from cytomol.chem.options import FeatureOptions

    folder = Path(tempfile.mkdtemp(prefix="cytomol-fuzz-"))
    os.environ["CYTOMOL_CACHE"] = str(folder)
    use(write_untrained(folder)["chmr"])
    names()
    featurize_chunk(SMILES, FeatureOptions(counts=True, descriptors=True))  # no case waits for a compiler


def one_round(name: str, number: int, chunk: int) -> tuple[Row, list[str]]:
    """Run a driver on the inputs of one seed; return its counts and the story of every failure."""
    from tests.fuzz.driver import Driver

    driver = Driver.all[name]
    count = driver.count(round(chunk * driver.share), number)
    stories = [f"{kind}\n{story}" for kind, story in count.failures.items()]
    return Row(name, 1, count.cases, count.seconds, len(stories)), stories


def added(before: Row, row: Row) -> Row:
    """Return the sum of two rows of a driver."""
    return Row(
        row.driver,
        before.rounds + row.rounds,
        before.cases + row.cases,
        round(before.seconds + row.seconds, 1),
        before.failures + row.failures,
    )
