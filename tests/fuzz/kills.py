"""Runs that are killed at random moments, and go on: ``python -m tests.fuzz.kills --kills 50``.

Pretraining, fine-tuning, streaming prediction, the feature cache, the index of a library and the building of
a corpus run on tiny planted data, each in a process of its own that SIGKILL ends: half of the times at a
moment drawn over the length of a run, half just as it has changed something on the disk. What then lies there
must be absent, unfinished by its name, or whole; the run goes on or is run again, and what it makes must be
what an uninterrupted run makes, bit for bit. Every kill is a row of ``benchmarks/results/kills.csv``; rows
that are there stay, so that the command goes on where it ended.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import hashlib
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.children import settle

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "kills.csv"
COLUMNS = ("kind", "kill", "way", "moment", "left", "then", "problem")
SMALL = ("--width", "16", "--layers", "2", "--morgan-bits", "64", "--depth", "3", "--views", "1d,2d")
ONE = ("--workers", "1", "--threads", "1", "--no-report", "-q")


@dataclass(frozen=True)
class Kind:
    """One kind of run.

    Attributes
    ----------
    name
        In the rows.
    begin
        Runs in the process that is killed; its working directory is empty but for links to the inputs.
    resume
        Runs in the process that goes on; None where the same is run again.
    unfinished
        What is there when a run can be resumed.
    made
        What a finished run leaves, which is there whole or not at all.
    compared
        The files whose bytes are compared, as patterns below the working directory.
    """

    name: str
    begin: Callable[[], None]
    made: str
    compared: tuple[str, ...]
    resume: Callable[[], None] | None = None
    unfinished: str = ""


def command(*words: str) -> Callable[[], None]:
    """Return a function that runs a command of cytomol."""

    def run() -> None:
        from cytomol.cli.main import main as cytomol

        cytomol(list(words))

    return run


def cache_features() -> None:
    """Featurize the molecules with a cache; write what came of it."""
    from cytomol.chem.featurize import featurize
    from cytomol.chem.options import FeatureOptions

    smiles = Path("inputs/smiles.txt").read_text(encoding="utf-8").split()
    options = FeatureOptions(graph=True, morgan_radius=2, morgan_bits=1024, maccs=True)
    store = featurize(smiles, options, cache=Path("cache"), workers=1)
    digest = hashlib.sha256()
    for array in (store.atoms, store.edges, store.edge_features, *store.blocks.values()):
        digest.update(array.tobytes())
    Path("digest").write_text(digest.hexdigest(), encoding="utf-8")


PRETRAIN = ("pretrain", "inputs/corpus", "-o", "out", "--epochs", "4", "--method", "chmr", *SMALL, *ONE)
FINETUNE = (
    *("finetune", "inputs/assays.csv", "-o", "out", "--learner", "forest", "--calibration-folds", "3"),
    "--no-baselines",
    *ONE,
)
PREDICT = ("predict", "inputs/model", "inputs/molecules.csv", "-o", "out.csv", "--chunk-rows", "16", "-q")
MATCH = (
    *("match", "inputs/backbone", "inputs/queries.csv", "--in", "inputs/molecules.csv", "-o", "out.csv"),
    *("--modality", "morphology"),
    *("--library", "library", "--index", "index", "--top", "5", "--no-report", "--workers", "1", "-q"),
)
BUILD = (
    *("corpus", "build", "-o", "out", "--molecules", "inputs/corpus/molecules.parquet", "--profiles"),
    "painting:morphology:inputs/corpus/modalities/morphology.parquet",
)
KINDS = (
    Kind(
        "pretraining",
        command(*PRETRAIN),
        "out/manifest.json",
        ("out/*.safetensors", "out/config.json"),
        command(*PRETRAIN, "--resume"),
        "out.partial",
    ),
    Kind(
        "fine-tuning",
        command(*FINETUNE),
        "out/manifest.json",
        ("out/*.safetensors", "out/config.json"),
        command(*FINETUNE, "--resume"),
        "out.partial",
    ),
    Kind(
        "streaming prediction",
        command(*PREDICT, "--workers", "1"),
        "out.csv",
        ("out.csv",),
        command(*PREDICT, "--workers", "1", "--resume"),
        ".out.csv.parts",
    ),
    Kind("feature cache", cache_features, "digest", ("digest", "cache/*/*.npy")),
    Kind("index", command(*MATCH), "out.csv", ("out.csv", "library/*.f32", "library/*.npy")),
    Kind("corpus building", command(*BUILD), "out/corpus.toml", ("out/**/*.parquet", "out/corpus.toml")),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the kills that have no row yet; return 1 if a row names a problem."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.kills", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="kills of each kind (50)")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so many minutes")
    parser.add_argument("--only", action="append", choices=[kind.name for kind in KINDS], help="this kind")
    parser.add_argument("-o", "--output", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    rows = read_rows(options.output)
    end = time.monotonic() + 60 * options.minutes
    kinds = [kind for kind in KINDS if not options.only or kind.name in options.only]
    with tempfile.TemporaryDirectory(prefix="kills-") as work:
        warm_up()
        prepare(Path(work) / "inputs")
        wholes = {kind.name: Whole.of(kind, Path(work)) for kind in kinds}
        for kill in range(options.kills):
            for kind in kinds:
                if (kind.name, str(kill)) in rows or time.monotonic() > end:
                    continue
                row = one_kill(kind, kill, wholes[kind.name], Path(work))
                rows[kind.name, str(kill)] = row
                append_row(options.output, row)
                print(", ".join(row.values()), flush=True)
    bad = [row for row in rows.values() if row["problem"]]
    for name, count in Counter(row["kind"] for row in rows.values()).items():
        left = Counter(row["left"] for row in rows.values() if row["kind"] == name)
        print(f"{name}: {count} kills, {', '.join(f'{what} {n}' for what, n in left.items())}")
    print(f"{len(rows)} kills, {len(bad)} with a problem")
    return 1 if bad else 0


@dataclass(frozen=True)
class Whole:
    """What uninterrupted runs made: digests of files, seconds, how often something changed on the disk."""

    digests: dict[str, str]
    seconds: float
    changes: int

    @classmethod
    def of(cls, kind: Kind, work: Path) -> Whole:
        """Run twice; what differs between the two would be no test of a third."""
        made, seconds, changes = [], [], []
        for _ in range(2):
            place = fresh(work)
            began = time.monotonic()
            code, seen = run(kind.begin, place)
            if code != 0:
                raise RuntimeError(f"{kind.name}: {(place / 'log').read_text(encoding='utf-8')[-2000:]}")
            seconds.append(time.monotonic() - began)
            if (place / "modules").exists():
                load_modules(place)
            changes.append(seen)
            made.append(digests(kind, place))
        if made[0] != made[1] or not made[0]:
            differ = [name for name in made[0] if made[0][name] != made[1].get(name)]
            raise RuntimeError(f"{kind.name}: two uninterrupted runs differ in {differ or 'all'}")
        print(f"{kind.name}: {seconds[0]:.1f} s, {changes[0]} changes, {len(made[0])} files", flush=True)
        return cls(made[0], min(seconds), min(changes))


def one_kill(kind: Kind, kill: int, whole: Whole, work: Path) -> dict[str, str]:
    """Kill a run, look at what lies there, go on, and compare."""
    rng = random.Random(f"{kind.name} {kill}")
    aimed = kill % 2 == 1
    moment = rng.randrange(1, whole.changes + 1) if aimed else rng.uniform(0.0, whole.seconds)
    row = dict.fromkeys(COLUMNS, "")
    row |= {"kind": kind.name, "kill": str(kill), "way": "change" if aimed else "seconds"}
    row["moment"] = str(moment) if aimed else f"{moment:.2f}"
    place = fresh(work)
    code, _ = run(
        kind.begin, place, after=None if aimed else moment, at_change=int(moment) if aimed else None
    )
    made = (place / kind.made).exists()
    row["left"] = (
        "finished" if code == 0 else "whole" if made else "unfinished" if _left(place) else "nothing"
    )
    problems = []
    if made and (odd := differing(kind, place, whole)):
        problems.append(f"after the kill {odd} is taken for whole")
    if not made:
        resumed = kind.resume is not None and (place / kind.unfinished).exists()
        row["then"] = "resumed" if resumed else "run again"
        code, _ = run(kind.resume if resumed and kind.resume else kind.begin, place)
        if code != 0:
            told = (place / "log").read_text(encoding="utf-8", errors="replace").strip().splitlines()
            problems.append(f"it ended with {code}: {told[-1] if told else ''}")
        elif odd := differing(kind, place, whole):
            problems.append(f"afterwards {odd} differs")
        elif rest := sorted(path.name for path in place.iterdir() if _leftover(path, kind)):
            problems.append(f"{rest[0]} is left behind")
    row["problem"] = "; ".join(problems)
    if not problems:
        shutil.rmtree(place)
    return row


def run(
    work: Callable[[], None], place: Path, *, after: float | None = None, at_change: int | None = None
) -> tuple[int, int]:
    """Run in a process of its own; return its exit status (negative: the signal), and changes on disk."""
    pid = os.fork()
    if pid == 0:
        _child(work, place)
    began, seen, changes = time.monotonic(), snapshot(place), 0
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status), changes
        if (now := snapshot(place)) != seen:
            seen, changes = now, changes + 1
        if (after is not None and time.monotonic() - began >= after) or (
            at_change is not None and changes >= at_change
        ):
            os.killpg(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            return os.waitstatus_to_exitcode(status), changes
        time.sleep(0.002)


def _child(work: Callable[[], None], place: Path) -> None:
    """Be the process that is killed."""
    code = 1
    try:
        settle(place)
        os.environ["CYTOMOL_CACHE"] = str(place / "user-cache")
        work()
        code = 0
    except SystemExit as ended:
        Path("modules").write_text("\n".join(sys.modules), encoding="utf-8")
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException as error:  # noqa: BLE001 - the log says what
        os.write(2, f"{type(error).__name__}: {error}\n".encode())
    finally:
        sys.stdout.flush()
        os._exit(code)


def warm_up() -> None:
    """Compile what reads molecules once: every process that is forked has it."""
    from cytomol.chem.featurize import featurize
    from cytomol.chem.options import FeatureOptions

    featurize(["CCO", "c1ccccc1N"], FeatureOptions(graph=True, maccs=True), workers=1)


def load_modules(place: Path) -> None:
    """Load what a run has loaded, so that the next one need not."""
    for name in (place / "modules").read_text(encoding="utf-8").split():
        if name.startswith(("cytomol.", "lightning", "lightgbm", "sklearn", "torch", "usearch", "pandas")):
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def fresh(work: Path) -> Path:
    """Return an empty working directory with a link to the inputs."""
    place = Path(tempfile.mkdtemp(dir=work))
    (place / "inputs").symlink_to(work / "inputs")
    return place


def prepare(inputs: Path) -> None:
    """Make what the runs read, in a process of its own: this one computes nothing before it forks."""
    inputs.mkdir()

    def make() -> None:
        import pandas as pd

        from cytomol.corpus.planted import write_planted

        write_planted(Path("corpus"), size=200, seed=0)
        table = pd.read_csv("corpus/assays.csv")
        table.iloc[:60, :2].to_csv("assays.csv", index=False)
        table.iloc[:120, :1].to_csv("molecules.csv", index=False)
        table.iloc[:5, :1].to_csv("queries.csv", index=False)
        Path("smiles.txt").write_text("\n".join([*table["smiles"]] * 12), encoding="utf-8")

    for work in (
        make,
        command("finetune", "assays.csv", "-o", "model", *FINETUNE[4:]),
        command("pretrain", "corpus", "-o", "backbone", "--epochs", "1", "--method", "chmr", *SMALL, *ONE),
    ):
        code, _ = run(work, inputs)
        if code != 0:
            raise RuntimeError((inputs / "log").read_text(encoding="utf-8")[-2000:])


def digests(kind: Kind, place: Path) -> dict[str, str]:
    """Return the SHA-256 of the compared files by name."""
    files = sorted({path for pattern in kind.compared for path in place.glob(pattern) if path.is_file()})
    contents = {path.relative_to(place).as_posix(): path.read_bytes() for path in files}
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def differing(kind: Kind, place: Path, whole: Whole) -> str:
    """Return the name of a file that is not what an uninterrupted run makes, or ""."""
    found = digests(kind, place)
    names = sorted({*found, *whole.digests})
    return next((name for name in names if found.get(name) != whole.digests.get(name)), "")


def snapshot(place: Path) -> tuple[tuple[str, int], ...]:
    """Return the names and sizes of everything in a directory, but the log."""
    seen = []
    for folder, _, names in os.walk(place):
        for name in (*names, ""):
            try:
                seen.append(
                    (f"{folder}/{name}", os.lstat(f"{folder}/{name}").st_size if name != "log" else 0)
                )
            except FileNotFoundError:
                continue
    return tuple(seen)


def _left(place: Path) -> bool:
    return any(path.name not in {"inputs", "log", "modules", "user-cache"} for path in place.iterdir())


def _leftover(path: Path, kind: Kind) -> bool:
    """Say whether something beside the result is left by a run that ended well."""
    expected = {"inputs", "log", "modules", "user-cache", "cache", "library", kind.made.split("/")[0]}
    return path.name not in expected and not path.name.endswith(".lock")


def read_rows(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Return the rows that are there by kind and number."""
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as handle:
        return {(row["kind"], row["kill"]): row for row in csv.DictReader(handle)}


def append_row(path: Path, row: dict[str, str]) -> None:
    """Write a row behind the others."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)


if __name__ == "__main__":
    sys.exit(main())
