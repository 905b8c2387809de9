"""The model directory: safetensors weights, JSON and a manifest with a SHA-256 of every file.

Nothing in it is pickled, so that loading a model never runs somebody else's code, and every file is
checked against the manifest before it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from cytomol.artifact.model_digest import MANIFEST, model_digest
from cytomol.artifact.shipped import is_shipped, model_place
from cytomol.artifact.signature import require_signature
from cytomol.artifact.strict_json import read_strictly
from cytomol.errors import ModelDirectoryError
from cytomol.files import REPORT, SIGNATURE, atomic_directory, settled, sha256
from cytomol.version import __version__

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = [
    "SCHEMA_VERSION",
    "ModelDirectory",
    "check_weights",
    "kind_of",
    "load_model",
    "load_weights",
    "save_model",
    "verify",
    "write_model",
]

SCHEMA_VERSION = 2
FORMAT = "cytomol model directory"
CONFIG = "config.json"
WEIGHTS = "weights.safetensors"
STATISTICS = "statistics.safetensors"
_LONGEST = 2**33
_REMEDIES = {
    "backbone": "cytomol pretrain makes one",
    "predictor": "cytomol finetune makes one, also of a backbone",
}
"""What makes a model of the kind that was looked for."""


@dataclass(frozen=True)
class ModelDirectory:
    """What a verified model directory holds.

    Attributes
    ----------
    path
        Where it lies.
    kind
        What was saved: "backbone", "predictor" or another word of the room that wrote it.
    config
        The table saved as ``config.json``.
    weights
        Parameters and buffers by name.
    statistics
        Feature statistics by name.
    digest
        SHA-256 that names the model, whenever and wherever it was made; see
        :func:`~cytomol.artifact.model_digest.model_digest`.
    """

    path: Path
    kind: str
    config: dict[str, Any]
    weights: dict[str, Tensor]
    statistics: dict[str, NDArray[Any]]
    digest: str

    def read_json(self, name: str) -> Any:
        """Return the content of one of the directory's JSON files."""
        return _read_json(self.path / name)


def save_model(
    path: str | Path,
    *,
    kind: str,
    config: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    statistics: Mapping[str, NDArray[Any]] | None = None,
    texts: Mapping[str, str] | None = None,
    tensors: Mapping[str, Mapping[str, Tensor]] | None = None,
    force: bool = False,
) -> Path:
    """Write a model directory, whole or not at all.

    Parameters
    ----------
    path
        Directory to be made.
    kind, config, weights, statistics
        See :class:`ModelDirectory`; ``config`` must be JSON-serialisable.
    texts
        Further text files by name (history, card, metrics).
    tensors
        Further safetensors files by name.
    force
        Replace an existing directory.

    Raises
    ------
    OutputError
        If ``path`` exists (without ``force``) or cannot be written.
    """
    path = Path(path)
    with atomic_directory(path, force=force) as directory:
        for name, table in (tensors or {}).items():
            _save_tensors(table, directory / name)
        write_model(
            directory,
            kind=kind,
            config=config,
            weights=weights,
            statistics=statistics or {},
            texts=texts or {},
        )
    return path


def write_model(
    directory: Path,
    *,
    kind: str,
    config: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    statistics: Mapping[str, NDArray[Any]],
    texts: Mapping[str, str],
) -> None:
    """Write the files of a model into an existing directory; files already there enter the manifest."""
    (directory / CONFIG).write_text(_dump(config), encoding="utf-8")
    _save_tensors(weights, directory / WEIGHTS)
    arrays = {name: np.ascontiguousarray(array) for name, array in statistics.items()}
    (directory / STATISTICS).write_bytes(safetensors.numpy.save(arrays))
    for name, text in texts.items():
        (directory / name).write_text(text, encoding="utf-8")
    files = {
        str(entry.relative_to(directory).as_posix()): sha256(entry)
        for entry in sorted(directory.rglob("*"))
        if entry.is_file()
    }
    manifest = {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "cytomol_version": __version__,
        "kind": kind,
        "digest": "",
        "files": files,
    }
    manifest["digest"] = model_digest(directory, manifest)
    (directory / MANIFEST).write_text(_dump(manifest), encoding="utf-8")


def verify(path: str | Path, *, kind: str | None = None) -> dict[str, Any]:
    """Check every file of a model directory against its manifest and return the manifest.

    Raises
    ------
    ModelDirectoryError
        If the directory is absent, not ours, of a newer schema or another ``kind``, or if a file is
        missing, altered or not listed; an altered file is named with both hashes.
    """
    path = settled(model_place(path))
    manifest, again = _read_manifest(path), _copy_again(path)
    files: dict[str, str] = manifest["files"]
    for name, expected in files.items():
        file = path / name
        if not file.is_file():
            raise ModelDirectoryError(
                f"is missing; the manifest lists it with SHA-256 {expected}",
                where=str(file),
                hint=again,
            )
        found = sha256(file)
        if found != expected:
            raise ModelDirectoryError(
                f"is not the file that was saved: SHA-256 {found}, the manifest says {expected}",
                where=str(file),
                hint=again,
            )
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        listed = name in files or name in {MANIFEST, REPORT, SIGNATURE} or file.name.startswith(".")
        if file.is_file() and not listed:
            raise ModelDirectoryError(
                f"does not belong to the model: SHA-256 {sha256(file)}, the manifest says none (not listed)",
                where=str(file),
                hint="remove it",
            )
    if manifest["digest"] != (digest := model_digest(path, manifest)):
        raise ModelDirectoryError(
            f"is altered: its digest is {digest}, it says {manifest['digest']}",
            where=str(path / MANIFEST),
            hint=again,
        )
    if kind is not None and manifest["kind"] != kind:
        raise ModelDirectoryError(
            f"holds a {manifest['kind']}, not a {kind}", where=str(path), hint=_REMEDIES.get(kind)
        )
    return manifest


def kind_of(path: str | Path) -> str:
    """Return what a model directory says that it holds; nothing but the manifest is looked at.

    Raises
    ------
    ModelDirectoryError
        If the directory is absent, not ours or of a newer schema.
    """
    return str(_read_manifest(settled(model_place(path)))["kind"])


def load_model(path: str | Path, *, kind: str | None = None) -> ModelDirectory:
    """Verify and read a model directory.

    Parameters
    ----------
    path
        The directory; ``default`` is the backbone that comes with cytomol.
    kind
        What must be in it; None accepts any kind.

    Raises
    ------
    ModelDirectoryError
        See :func:`verify`.
    """
    path = settled(model_place(path))
    manifest = verify(path, kind=kind)
    try:
        weights = _read_weights(path / WEIGHTS)
        statistics = safetensors.numpy.load_file(path / STATISTICS)
    # kinds of numbers that numpy does not know are a KeyError, a TypeError or an AttributeError there
    except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ModelDirectoryError(f"cannot be read: {error}", where=str(path)) from None
    shapes = {name: tuple(array.shape) for table in (weights, statistics) for name, array in table.items()}
    for name, shape in shapes.items():
        if max(shape, default=0) > _LONGEST:  # without an entry a shape may say anything
            raise ModelDirectoryError(f"{name[:60]} has the shape {shape}", where=str(path))
    if not isinstance(config := _read_json(path / CONFIG), dict):
        raise ModelDirectoryError("holds no table", where=str(path / CONFIG))
    return ModelDirectory(path, manifest["kind"], config, weights, statistics, manifest["digest"])


def _read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file; without any, torch is not needed."""
    with safetensors.safe_open(path, framework="numpy") as file:
        if not file.keys():
            return {}
    from safetensors.torch import load_file

    return load_file(path)


def load_weights(module: nn.Module, weights: Mapping[str, Tensor], *, where: str) -> None:
    """Put saved weights into a module; see :func:`check_weights`."""
    check_weights(module, weights, where=where)
    module.load_state_dict(dict(weights))


def check_weights(module: nn.Module, weights: Mapping[str, Tensor], *, where: str) -> None:
    """Raise where names, shapes or kinds of saved weights are not those of a module, or one is not finite.

    Raises
    ------
    ModelDirectoryError
        If the weights belong to another architecture.
    """
    import torch

    expected = module.state_dict()
    missing, extra = sorted(expected.keys() - weights.keys()), sorted(weights.keys() - expected.keys())
    shapes = [
        f"{name} is {tuple(weights[name].shape)}, not {tuple(expected[name].shape)}"
        for name in expected.keys() & weights.keys()
        if expected[name].shape != weights[name].shape
    ]
    problems = [
        *(f"{name} is missing" for name in missing),
        *(f"{name} is unknown" for name in extra),
        *sorted(shapes),
    ]
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ModelDirectoryError(
            f"weights do not fit the model: {'; '.join(problems[:3])}{more}", where=where
        )
    for name, tensor in weights.items():
        if tensor.is_floating_point() != expected[name].is_floating_point():
            raise ModelDirectoryError(
                f"weights: {name} is {tensor.dtype}, not {expected[name].dtype}", where=where
            )
        if not torch.isfinite(tensor).all():
            raise ModelDirectoryError(f"weights: {name} holds NaN or an infinite value", where=where)


def _save_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    from safetensors.torch import save

    # Clones, because safetensors refuses tensors that share memory.
    table = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    # Not save_file, which makes files that only their owner may read and hides a full disk.
    path.write_bytes(save(table))


def _copy_again(path: Path) -> str:
    """Say what to do about files that are not those that were saved."""
    return "install cytomol again" if is_shipped(path) else "copy the whole model directory again"


def _read_manifest(path: Path) -> dict[str, Any]:
    if not path.is_dir():
        what = "is a file where a model directory belongs" if path.exists() else "model directory not found"
        hint = _copy_again(path) if is_shipped(path) else "check the path"
        raise ModelDirectoryError(what, where=str(path), hint=hint)
    if not (path / MANIFEST).is_file():
        raise ModelDirectoryError(f"holds no {MANIFEST}, so it is not a model directory", where=str(path))
    require_signature(path)
    manifest = _read_json(path / MANIFEST)
    where = str(path / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ModelDirectoryError("is not the manifest of a cytomol model directory", where=where)
    if not isinstance(version := manifest.get("schema_version"), int) or not 1 <= version <= SCHEMA_VERSION:
        raise ModelDirectoryError(
            f"has schema version {version!r}; this cytomol {__version__} reads up to {SCHEMA_VERSION}",
            where=where,
            hint="install a newer cytomol",
        )
    files = manifest.get("files")
    if (
        not isinstance(files, dict)
        or not {CONFIG, WEIGHTS, STATISTICS} <= set(files)
        or not {"kind", "digest"} <= set(manifest)
        or not all(isinstance(manifest[name], str) for name in ("kind", "digest"))
        or not all(isinstance(each, str) for each in files.values())
        or any("\0" in name for name in files)
        or any(Path(name).is_absolute() or ".." in Path(name).parts for name in files)
    ):
        raise ModelDirectoryError("does not list the files of a model", where=where)
    return manifest


def _read_json(path: Path) -> Any:
    return read_strictly(path)


def _dump(table: Mapping[str, Any]) -> str:
    return json.dumps(table, indent=2) + "\n"
