"""Weights that come home: encoders in half precision, in one archive, in parts that are small enough."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cytomol.artifact.backbone import KIND
from cytomol.artifact.directory import ModelDirectory, load_model, save_model
from cytomol.training.loop.state import STATE, partial_path

__all__ = ["ARCHIVE", "PART", "TOTAL", "halved", "pack_all", "parts_of", "saved_models", "split", "waiting"]

ARCHIVE = "weights.zip"
"""All models that come home, each in a folder of its name."""

PART = 15 * 2**20
"""Most bytes of a file."""

TOTAL = 61 * 2**20
"""Most bytes of all weights."""

PACKED = "packed.json"
_HOME = "home.json"  # digests of what was packed before, by name
_TEXTS = ("README.md", "training.json", "metrics.csv")
_HALF_LARGEST = torch.finfo(torch.float16).max


def split(content: bytes, name: str = ARCHIVE, part: int = PART) -> dict[str, bytes]:
    """Return files by name: one, or parts that joined in the order of their names give it again."""
    if len(content) <= part:
        return {name: content}
    return {f"{name}.{k:02d}": content[k * part : (k + 1) * part] for k in range(-(-len(content) // part))}


def parts_of(folder: Path) -> list[Path]:
    """Return the files of the archive, in order."""
    return sorted([*folder.glob(ARCHIVE), *folder.glob(f"{ARCHIVE}.[0-9][0-9]")])


def halved(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights with every matrix in float16; vectors, counts and what overflows stay as they are."""
    return {
        name: tensor.half()
        if tensor.ndim > 1 and tensor.is_floating_point() and float(tensor.abs().max()) <= _HALF_LARGEST
        else tensor
        for name, tensor in weights.items()
    }


def saved_models(models: Path, names: Sequence[str]) -> dict[str, Path]:
    """Return where models lie: first the finished ones in the order of their names given, then the others."""
    places = [(name, models / name) for name in names]
    places += [(name, partial_path(models / name)) for name in names]
    found: dict[str, Path] = {}
    for name, path in places:
        if (path / "manifest.json").is_file():
            found.setdefault(name, path)
    return found


def _home(work: Path) -> dict[str, str]:
    """Return the digests of what was packed before, by name."""
    path = work / _HOME
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def waiting(models: Path, names: Sequence[str], work: Path) -> list[str]:
    """Return the names of models that are saved and were not packed yet, as they are now."""
    home = _home(work)
    digests = {
        name: json.loads((place / "manifest.json").read_text(encoding="utf-8"))["digest"]
        for name, place in saved_models(models, names).items()
    }
    return [name for name, digest in digests.items() if home.get(name) != digest]


def pack_all(
    models: Path, names: Sequence[str], out: Path, work: Path, *, total: int = TOTAL, part: int = PART
) -> list[str]:
    """Pack the encoders of models that are not home yet, as many as fit, and say which did not.

    Parameters
    ----------
    models
        Folder of the model directories.
    names
        Models, the most important first; finished ones come before interrupted ones.
    out
        Where the archive goes, in place of one that is there.
    work
        Where it is made, and noted what it held.
    total, part
        Most bytes of it, and of a part.

    Returns
    -------
        Names of the models in it.
    """
    work.mkdir(parents=True, exist_ok=True)
    home, places, path = _home(work), saved_models(models, names), work / ARCHIVE
    packed, left = [], []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in waiting(models, names, work):
            model = load_model(places[name], kind=KIND)
            folder = work / name
            _write_small(model, folder)
            # weights hardly become smaller, so their bytes as they are tell whether they fit
            if path.stat().st_size + sum(entry.stat().st_size for entry in folder.iterdir()) > total:
                left.append(name)
            else:
                for entry in sorted(folder.iterdir()):
                    archive.write(entry, f"{name}/{entry.name}")
                assert archive.fp is not None
                archive.fp.flush()
                home[name] = model.digest
                packed.append(name)
            shutil.rmtree(folder)
    for old in parts_of(out):
        old.unlink()
    if packed:
        for file, content in split(path.read_bytes(), part=part).items():
            (out / file).write_bytes(content)
    (work / _HOME).write_text(json.dumps(home, indent=1), encoding="utf-8")
    print(f"come home: {', '.join(packed) or 'nothing new'}", flush=True)
    if left:
        print(f"come another time, there is no room: {', '.join(left)}", flush=True)
    return packed


def _write_small(model: ModelDirectory, folder: Path) -> None:
    """Write a model directory without decoders, its matrices in half precision."""
    weights = {
        name: tensor for name, tensor in halved(model.weights).items() if not name.startswith("decoders.")
    }
    config = dict(model.config)
    config["dimensions"] = {**config["dimensions"], "targets": {}, "binary_targets": []}
    texts = {name: (model.path / name).read_text(encoding="utf-8") for name in _TEXTS if _has(model, name)}
    if _has(model, STATE):  # interrupted: say how far it came, without the optimizer
        texts["training.json"] = json.dumps(_training_so_far(model), indent=2) + "\n"
    facts = {
        "digest": model.digest,
        "finished": not _has(model, STATE),
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
