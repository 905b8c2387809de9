"""Models that somebody has tampered with and sealed again: each is refused in one line, or answers.

`python -m tests.fuzz.resealed --models 5000` fits a small model of every learner, changes one thing at random
(an array, a table, a header), writes the hashes anew, and loads and asks the model in processes with a limit
of time and of memory. Counts go into benchmarks/results/resealed.csv, a row a kind of model.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import multiprocessing
import random
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import click
import numpy as np
import safetensors.numpy

ROOT = Path(__file__).parents[2]
OUT = ROOT / "benchmarks" / "results" / "resealed.csv"
OUTCOMES = ("refused in one line", "answered", "crash", "hang", "traceback", "not in one line")
SECONDS = 20.0
MEMORY = 8 * 2**30
LEARNERS = (
    "forest",
    "extra-trees",
    "boosting",
    "kernel",
    "neighbours",
    "mlp",
    "head",
    "cytomol",
    "with profiles",
)
RINGS = ("c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccoc1", "c1ccsc1")
TAILS = ("", "C", "CC", "CCO", "N", "OC", "Cl", "CCN", "N#C", "OC(=O)")
SMILES = [tail + ring for ring in RINGS for tail in TAILS]
VALUES: list[Any] = [
    None,
    True,
    False,
    -1,
    0,
    1,
    7,
    10**9,
    2**63,
    -(2**31),
    0.5,
    1e308,
    float("nan"),
    float("inf"),
    "",
    "x",
    "mlp",
    "regression",
    [],
    {},
    [[]],
    [1, "a", None],
    {"a": 1},
    "\ud800",
    "a" * 5000,
]


def main() -> int:
    """Tamper, load and count; the exit status is 1 if anything but a refusal or an answer came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.resealed", description=__doc__)
    parser.add_argument("--models", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=600.0, help="stop then, with the rows so far")
    parser.add_argument("--sources", type=Path, help="keep the fitted models here for the next run")
    parser.add_argument("--out", type=Path, default=OUT)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cytomol-resealed-") as folder:
        sources = small_models(chosen.sources or Path(folder) / "sources")
        counts, stories, seconds = run(
            sources, chosen.models, chosen.seed, chosen.processes, Path(folder), chosen.minutes
        )
    with chosen.out.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["model", "tampered", "seconds", *OUTCOMES])
        for name, count in counts.items():
            writer.writerow(
                [name, count.total(), round(seconds[name], 1), *(count[each] for each in OUTCOMES)]
            )
    for name, count in counts.items():
        click.echo(f"{name}: " + ", ".join(f"{count[each]} {each}" for each in OUTCOMES))
    for case, story in stories:
        click.echo(f"\n== {case}\n{story[-1500:]}", err=True)
    return int(bool(stories))


def small_models(folder: Path) -> dict[str, Path]:
    """Fit one model of every learner, a backbone, a matcher and a tree of codes; return their directories."""
    import torch
    from tests.conftest import write_untrained

    from cytomol import finetune
    from cytomol.artifact.backbone import Backbone
    from cytomol.assays.labels import Labels, Task
    from cytomol.cells.matcher.matcher_model import fit_matcher
    from cytomol.cells.tree.code_tree import fit_tree, write_tree
    from cytomol.corpus.planted import generate_planted

    torch.set_num_threads(1)
    if (listing := folder / "models.json").exists():
        return {name: folder / place for name, place in json.loads(listing.read_text()).items()}
    folder.mkdir(parents=True)
    backbone = write_untrained(folder)["chmr"]
    found = {"backbone": backbone}
    places = np.array([len(text) for text in SMILES], dtype=np.float64)
    amine = np.array(["N" in text or "n" in text for text in SMILES], dtype=np.float64)
    rng = np.random.default_rng(0)
    labels = Labels(
        (Task("length", "regression"), Task("amine", "binary", ("no", "yes"))),
        np.stack([places + rng.normal(scale=0.3, size=len(SMILES)), amine], axis=1),
    )
    folds = np.array([("train", "train", "valid", "test")[row % 4] for row in range(len(SMILES))])
    for learner in LEARNERS:
        options: dict[str, Any] = {"learner": learner}
        if learner == "with profiles":
            options = {"learner": "forest", "profiles": [profiles(rng)]}
        if learner in {"head", "cytomol"}:
            options["backbone"] = backbone
        if learner == "head":
            options |= {"epochs": 2, "hidden": 8}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = finetune(
                SMILES,
                labels,
                folds=folds,
                workers=1,
                cache=None,
                calibration_folds=2,
                baselines=False,
                **options,
            )
        found[learner] = fitted.predictor.save(folder / learner.replace(" ", "-"))
        click.echo(f"fitted {learner}", err=True)
    corpus = generate_planted(200).corpus
    keys = [key[:14] for key in corpus.molecules["inchikey"]]
    matcher = fit_matcher(corpus.smiles, keys, corpus.modalities["morphology"])
    found["matcher"] = matcher.save(folder / "matcher")
    loaded = Backbone.load(backbone)
    write_tree(fit_tree(loaded.embed(SMILES)[0], depth=2), folder / "tree", loaded)
    found["tree"] = folder / "tree"
    listing.write_text(json.dumps({name: path.name for name, path in found.items()}))
    return found


def profiles(rng: np.random.Generator) -> Any:
    """Return made-up profiles of most molecules."""
    from cytomol.assays.same_molecule import molecule_key
    from cytomol.predict.profile_block import ProfileBlock

    values = rng.normal(size=(len(SMILES), 4)).astype(np.float32)
    values[::6] = np.nan
    place = {molecule_key(text): row for row, text in enumerate(SMILES)}
    return ProfileBlock("morphology", ("a", "b", "c", "d"), values, place)


def run(  # noqa: PLR0917 - as the options stand
    sources: dict[str, Path], models: int, seed: int, processes: int, folder: Path, minutes: float
) -> tuple[dict[str, Counter[str]], list[tuple[str, str]], dict[str, float]]:
    """Try the models, alike many of each kind; return outcomes, what went wrong, and seconds, by kind."""
    names = list(sources)
    cases = [(names[number % len(names)], seed * 10**7 + number) for number in range(models)]
    counts = {name: Counter[str]() for name in names}
    seconds = dict.fromkeys(names, 0.0)
    stories: list[tuple[str, str]] = []
    crew = [Worker(sources, folder / f"place{place}") for place in range(processes)]
    until = time.monotonic() + 60 * minutes
    waiting = (case for case in cases if time.monotonic() < until)
    running: dict[int, tuple[str, int]] = {}
    done = 0
    ended = False
    while running or not ended:
        for place, worker in enumerate(crew):
            if place in running:
                continue
            if (case := next(waiting, None)) is None:
                ended = True
                continue
            worker.give(case)
            running[place] = case
        for place, case in list(running.items()):
            if (answer := crew[place].answer(0.005)) is None:
                continue
            del running[place]
            outcome, story, took = answer
            counts[case[0]][outcome] += 1
            seconds[case[0]] += took
            done += 1
            if outcome not in OUTCOMES[:2]:
                stories.append((f"{case[0]}, case {case[1]}: {outcome}", story))
            if done % 250 == 0:
                click.echo(f"{done:,} of {models:,}, {len(stories)} wrong", err=True)
    for worker in crew:
        worker.stop()
    return counts, stories, seconds


class Worker:
    """A process that tries one model after the other, and is replaced when it dies or hangs."""

    def __init__(self, sources: dict[str, Path], place: Path) -> None:
        self.sources, self.place = sources, place
        self.process: Any = None
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=serve, args=(self.sources, self.place, other), daemon=True)
        self.process.start()
        other.close()
        self.pipe.recv()  # it has imported what it needs
        self.began = time.monotonic()

    def give(self, case: tuple[str, int]) -> None:
        """Try a model."""
        self.began = time.monotonic()
        self.pipe.send(case)

    def answer(self, wait: float) -> tuple[str, str, float] | None:
        """Return outcome, story and seconds; None while it is still at it."""
        took = time.monotonic() - self.began
        try:
            if self.pipe.poll(wait):
                outcome, story = self.pipe.recv()
                return outcome, story, time.monotonic() - self.began
        except (EOFError, OSError):
            self.process.join(5)
            story = f"ended with status {self.process.exitcode}"
            self._start()
            return "crash", story, took
        if took > SECONDS:
            self.stop()
            self._start()
            return "hang", f"took longer than {SECONDS:g} s", took
        return None

    def stop(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def serve(sources: dict[str, Path], place: Path, pipe: Connection) -> None:
    """Try what comes through the pipe, within the limit of memory."""
    import resource

    import torch

    torch.set_num_threads(1)
    for name, path in sources.items():
        attempt(name, path, sources)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipe.send("ready")
    while True:
        name, number = pipe.recv()
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(sources[name], place)
        how = tamper(place, random.Random(number))
        pipe.send(judged(name, place, sources, how))


def judged(name: str, place: Path, sources: dict[str, Path], how: str) -> tuple[str, str]:
    """Return what came of loading and asking a model, and its story."""
    from cytomol.errors import CytomolError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            attempt(name, place, sources)
    except CytomolError as error:
        text = str(error)
        good = "\n" not in text and len(text) < 2000
        return ("refused in one line" if good else "not in one line"), f"{how}: {text}"
    except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
        return "traceback", f"{how}\n{traceback.format_exc()}"
    return "answered", how


def attempt(name: str, place: Path, sources: dict[str, Path]) -> None:
    """Load a model as its verb does and ask it about two molecules."""
    from cytomol.artifact.backbone import Backbone
    from cytomol.cells.matcher.matcher_model import MatcherModel
    from cytomol.cells.tree.code_tree import load_tree
    from cytomol.predict.predictor import Predictor

    asked = ["CCO", "c1ccccc1N", "no molecule"]
    if name == "backbone":
        Backbone.load(place).embed(asked)
    elif name == "matcher":
        model = MatcherModel.load(place)
        model.molecules(asked)
        model.profiles(np.ones((2, len(model.columns)), np.float32))
    elif name == "tree":
        backbone = Backbone.load(sources["backbone"])
        load_tree(place, backbone).codes(np.ones((2, backbone.embedding_width), np.float32))
    else:
        predictor = Predictor.load(place)
        certain = predictor.uncertainty is not None
        predictor.predict(
            asked, workers=1, uncertainty=certain, evidence=predictor.evidence is not None
        ).frame()


def tamper(place: Path, rng: random.Random) -> str:
    """Change one thing of a model directory and seal it again; return what was changed."""
    folders = [path.parent for path in sorted(place.rglob("manifest.json"))]
    folder = rng.choice(folders)
    kind = rng.choice(["array", "array", "array", "table", "table", "header", "text"])
    if kind == "array":
        how = tamper_array(rng.choice(sorted(folder.glob("*.safetensors"))), rng)
    elif kind == "header":
        how = tamper_bytes(rng.choice(sorted(folder.glob("*.safetensors"))), rng)
    else:
        files = [
            path for path in sorted(folder.glob("*.json")) if path.name in {"config.json", "uncertainty.json"}
        ]
        path = rng.choice(files)
        how = tamper_table(path, rng) if kind == "table" else tamper_text(path, rng)
    for each in sorted(folders, key=lambda one: -len(one.parts)):
        seal(each)
    return how


def tamper_array(path: Path, rng: random.Random) -> str:  # noqa: PLR0912 - one branch a way to tamper
    """Change one array of a safetensors file: an entry, its shape, its kind of number, or its being there."""
    arrays = dict(safetensors.numpy.load_file(path))
    if not arrays:
        arrays["extra"] = np.zeros(3)
    name = rng.choice(sorted(arrays))
    array = np.array(arrays[name])
    what = rng.choice(
        [
            "entry",
            "entry",
            "entry",
            "entries",
            "short",
            "empty",
            "long",
            "turned",
            "flat",
            "kind",
            "gone",
            "more",
        ]
    )
    if what in {"entry", "entries"} and array.size:
        flat = array.reshape(-1)
        for _ in range(1 if what == "entry" else max(1, array.size // 3)):
            new = rng.choice(
                [-1, 0, 1, 2, 5, 1000, 2**31 - 1, -(2**31), 2**62, np.nan, np.inf, -np.inf, 1e30]
            )
            if array.dtype.kind != "f":
                new = 0 if not np.isfinite(new) else int(new)
                if array.dtype.kind in "iu":
                    info = np.iinfo(array.dtype)
                    new = min(max(int(new), info.min), info.max)
            with np.errstate(all="ignore"):
                flat[rng.randrange(array.size)] = new
    elif what == "short" and array.ndim:
        array = array[: rng.randrange(len(array))] if len(array) else array
    elif what == "empty":
        array = np.zeros(rng.choice([(0,), (0, 2**20), (2**20, 0), ()]), array.dtype)
    elif what == "long" and array.ndim:
        array = np.concatenate([array, array, array])
    elif what == "turned":
        array = np.ascontiguousarray(array.T) if array.ndim != 1 else array[::-1].copy()
    elif what == "flat":
        array = array.reshape(-1, 1) if array.ndim == 1 else array.reshape(-1)
    elif what == "kind":
        to = rng.choice([np.float16, np.float32, np.float64, np.int8, np.int64, np.uint8, np.bool_])
        with np.errstate(all="ignore"):
            array = array.astype(to)
    arrays[name] = array
    if what == "gone":
        del arrays[name]
    elif what == "more":
        arrays[name + rng.choice([".x", "x", ".9"])] = array
    path.write_bytes(safetensors.numpy.save({key: np.ascontiguousarray(one) for key, one in arrays.items()}))
    return f"{path.name}: {name}: {what}"


def tamper_bytes(path: Path, rng: random.Random) -> str:
    """Change the header of a safetensors file: sizes, places, kinds, or bytes."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    names = [name for name in header if name != "__metadata__"]
    what = rng.choice(["shape", "place", "dtype", "length", "cut", "byte"])
    if what in {"shape", "place", "dtype"} and names:
        entry = header[rng.choice(sorted(names))]
        if what == "shape":
            entry["shape"] = rng.choice([[2**40], [2**62, 4], [-1], [0], [1], [1] * 100, "x"])
        elif what == "place":
            entry["data_offsets"] = rng.choice([[0, 2**40], [8, 0], [0, 0], [-8, 8], [0, 1]])
        else:
            entry["dtype"] = rng.choice(["BF16", "F8_E4M3", "I64", "F64", "U8", "BOOL", "X"])
        text = json.dumps(header).encode()
        data = len(text).to_bytes(8, "little") + text + data[8 + size :]
    elif what == "length":
        data = rng.choice([0, 2**40, 2**63, size - 1, size + 9]).to_bytes(8, "little") + data[8:]
    elif what == "cut":
        data = data[: rng.randrange(len(data))]
    else:
        at = rng.randrange(min(len(data), size + 8))
        data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    path.write_bytes(data)
    return f"{path.name}: header: {what}"


def tamper_table(path: Path, rng: random.Random) -> str:
    """Change one value of a JSON file, take it out, double it, or exchange it for another one."""
    from tests.fuzz.test_model_directory import places

    table = json.loads(path.read_text(encoding="utf-8"))
    ways = places(table)[1:]
    *way, last = rng.choice(ways)
    inner = table
    for key in way:
        inner = inner[key]
    what = rng.choice(["new", "new", "gone", "swapped", "more", "larger"])
    if what == "new":
        inner[last] = rng.choice(VALUES)
    elif what == "gone":
        del inner[last]
    elif what == "swapped":
        *other, end = rng.choice(ways)
        there = table
        for key in other:
            there = there[key]
        inner[last] = (
            there[end] if not isinstance(there[end], dict | list) else json.loads(json.dumps(there[end]))
        )
    elif what == "more":
        if isinstance(inner, dict):
            inner["unknown"] = rng.choice(VALUES)
        else:
            inner.append(inner[last])
    else:
        old = inner[last]
        inner[last] = (
            old * 1000 if isinstance(old, int | float | str) and not isinstance(old, bool) else [old] * 3
        )
    path.write_text(json.dumps(table), encoding="utf-8")
    return f"{path.name}: {'.'.join(map(str, [*way, last]))}: {what}"


def tamper_text(path: Path, rng: random.Random) -> str:
    """Write JSON that a reader may choke on."""
    deep = rng.choice([50, 900, 5000, 100_000])
    texts = {
        "deep list": "[" * deep + "]" * deep,
        "deep table": '{"a":' * deep + "1" + "}" * deep,
        "digits": '{"form": ' + "9" * rng.choice([30, 5000]) + "}",
        "twice": '{"form": 2, "form": 2}',
        "cut": path.read_text(encoding="utf-8")[: rng.randrange(1, 400)],
        "null": "null",
        "list": "[]",
        "bytes": "\ufeff{}",
    }
    what = rng.choice(sorted(texts))
    text = texts[what]
    if what.startswith("deep") and rng.random() < 0.5:  # the rest as it should be
        whole = path.read_text(encoding="utf-8").rstrip()
        text = whole[:-1] + f', "unknown": {text}}}'
    path.write_text(text, encoding="utf-8")
    return f"{path.name}: {what}"


def seal(folder: Path) -> None:
    """Write the hashes of all files into the manifest, as somebody would who means it."""
    from cytomol.artifact.model_digest import model_digest

    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for name in manifest["files"]:
        manifest["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    manifest["digest"] = model_digest(folder, manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
