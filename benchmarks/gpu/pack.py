"""Weights that come home: in half precision, zipped, in parts that are small enough, few enough."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cytomol.artifact.backbone import KIND
from cytomol.artifact.directory import ModelDirectory, load_model, save_model
from cytomol.training.loop.state import STATE, partial_path

__all__ = [
    "FILES",
    "PART",
    "TOTAL",
    "Packed",
    "choose",
    "halved",
    "pack_all",
    "parts_of",
    "saved_model",
    "split",
]

PART = 15 * 2**20
"""Most bytes of a file."""

FILES = 6
"""Most files of weights: with rows and log there are two more."""

TOTAL = 61 * 2**20
"""Most bytes of all weights."""

PACKED = "packed.json"
_TEXTS = ("README.md", "training.json", "metrics.csv")
_HALF_LARGEST = torch.finfo(torch.float16).max


@dataclass(frozen=True)
class Packed:
    """A model's archives.

    Attributes
    ----------
    name
        Of the model.
    full, lean
        Bytes with the decoders, and without.
    """

    name: str
    full: int
    lean: int


def choose(
    packed: Sequence[Packed], *, part: int = PART, files: int = FILES, total: int = TOTAL
) -> dict[str, str]:
    """Choose "full", "lean" (without decoders) or "none" for each model so that all fit.

    Parameters
    ----------
    packed
        Models, the most important first: the others give up their decoders before it does.
    part, files, total
        Most bytes of a file, files, and bytes in all.
    """
    chosen = dict.fromkeys((p.name for p in packed), "none")
    size = {p.name: {"none": 0, "lean": p.lean, "full": p.full} for p in packed}

    def fits(choice: Mapping[str, str]) -> bool:
        sizes = [size[name][kind] for name, kind in choice.items()]
        return sum(sizes) <= total and sum(-(-n // part) for n in sizes) <= files

    for kind in ("lean", "full"):
        for model in packed:
            if chosen[model.name] == "none" and kind == "full":
                continue
            if fits(trial := {**chosen, model.name: kind}):
                chosen = trial
    return chosen


def split(content: bytes, name: str, part: int = PART) -> dict[str, bytes]:
    """Return files by name: one, or parts that joined in the order of their names give it again."""
    if len(content) <= part:
        return {name: content}
    return {f"{name}.{k:02d}": content[k * part : (k + 1) * part] for k in range(-(-len(content) // part))}


def parts_of(folder: Path, name: str) -> list[Path]:
    """Return the files of a model's archive, in order."""
    return sorted([*folder.glob(f"{name}.zip"), *folder.glob(f"{name}.zip.[0-9][0-9]")])


def halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with every matrix in float16; vectors, counts and what overflows stay as they are."""
    return {
        name: tensor.half()
        if tensor.ndim > 1 and tensor.is_floating_point() and float(tensor.abs().max()) <= _HALF_LARGEST
        else tensor
        for name, tensor in weights.items()
    }


def saved_model(models: Path, name: str) -> Path | None:
    """Return where a model lies, finished or interrupted; None if nothing was saved."""
    for path in (models / name, partial_path(models / name)):
        if (path / "manifest.json").is_file():
            return path
    return None


def pack_all(models: Path, names: Sequence[str], out: Path, work: Path) -> dict[str, str]:
    """Pack the models that are there so that all fit into ``out``, and say what was left out.

    Parameters
    ----------
    models
        Folder of the model directories.
    names
        Models, the most important first.
    out
        Where the archives go.
    work
        Where they are made.
    """
    found = {name: path for name in names if (path := saved_model(models, name)) is not None}
    archives = {name: _archives(name, path, work) for name, path in found.items()}
    chosen = choose(
        [Packed(name, *(len(kinds[kind]) for kind in ("full", "lean"))) for name, kinds in archives.items()]
    )
    contents = {
        name: split(archives[name][kind], f"{name}.zip") if kind != "none" else {}
        for name, kind in chosen.items()
    }
    # what shrinks goes first, so that at no time there is too much
    for name in sorted(contents, key=lambda name: len(contents[name]) - len(parts_of(out, name))):
        _replace(out, name, contents[name], work)
        if chosen[name] != "full":
            what = "the decoders of" if chosen[name] == "lean" else "all of"
            print(f"too large to come home: {what} {name}", flush=True)
    return chosen


def _archives(name: str, path: Path, work: Path) -> dict[str, bytes]:
    """Return a model's archives with and without its decoders, made once."""
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    kept = {kind: work / f"{name}-{manifest['digest'][:16]}-{kind}.zip" for kind in ("full", "lean")}
    if not all(file.is_file() for file in kept.values()):
        for stale in work.glob(f"{name}-*.zip"):
            stale.unlink()
        model = load_model(path, kind=KIND)
        for kind, file in kept.items():
            folder = work / f"{name}-{kind}"
            _write_small(model, folder, lean=kind == "lean")
            partial = file.with_suffix(".partial")
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
                for entry in sorted(folder.iterdir()):
                    archive.write(entry, entry.name)
            partial.replace(file)
            shutil.rmtree(folder)
    return {kind: file.read_bytes() for kind, file in kept.items()}


def _write_small(model: ModelDirectory, folder: Path, *, lean: bool) -> None:
    """Write a model directory with matrices in half precision; a lean one has no decoders."""
    config, weights = dict(model.config), halved(model.weights)
    if lean:
        weights = {name: tensor for name, tensor in weights.items() if not name.startswith("decoders.")}
        config["dimensions"] = {**config["dimensions"], "targets": {}, "binary_targets": []}
    texts = {name: (model.path / name).read_text(encoding="utf-8") for name in _TEXTS if _has(model, name)}
    if _has(model, STATE):  # interrupted: say how far it came, without the optimizer
        texts["training.json"] = json.dumps(_training_so_far(model), indent=2) + "\n"
    facts = {
        "digest": model.digest,
        "finished": not _has(model, STATE),
        "decoders": not lean,
        "in_float16": sorted(name for name, tensor in weights.items() if tensor.dtype == torch.float16),
    }
    texts[PACKED] = json.dumps(facts, indent=1) + "\n"
    save_model(
        folder,
        kind=KIND,
        config=config,
        weights=weights,
        statistics=model.statistics,
        texts=texts,
        force=True,
    )


def _has(model: ModelDirectory, name: str) -> bool:
    return (model.path / name).is_file()


def _training_so_far(model: ModelDirectory) -> dict[str, Any]:
    """Return what ``training.json`` says of a finished training, of one that was interrupted."""
    table = model.read_json(STATE)
    state = table["state"]
    return {
        "method": model.config["method"],
        "epochs": state["epoch"],
        "interrupted": True,
        "loss_start": state["first_loss"],
        "loss_end": state["history"][-1]["train"]["loss"] if state["history"] else None,
        "seconds": round(state["seconds"], 3),
        "molecules_per_second": round(state["molecules"] / max(state["seconds"], 1e-9), 1),
        "data": table["run"],
        "history": state["history"],
    }


def _replace(out: Path, name: str, files: Mapping[str, bytes], work: Path) -> None:
    """Put the files of an archive in place of those that are there."""
    old = parts_of(out, name)
    if {path.name for path in old} == set(files) and all(p.read_bytes() == files[p.name] for p in old):
        return
    out.mkdir(parents=True, exist_ok=True)
    for path in old:
        path.unlink()
    for file, content in files.items():
        (work / file).write_bytes(content)
        shutil.move(work / file, out / file)
