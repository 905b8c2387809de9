"""The digest that names a model, whenever and wherever it was made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cytomol.artifact.strict_json import read_strictly
from cytomol.errors import ModelDirectoryError

__all__ = ["MANIFEST", "RECORDS", "model_digest"]

MANIFEST = "manifest.json"
"""The file of a model directory that lists all others with their hashes, and has the digest."""

RECORDS = frozenset({"README.md", "metrics.csv", "report.json", "scores.json", "training.json"})
"""Files that tell how a model came about, with seconds and commands, which differ from run to run."""


def model_digest(directory: Path, manifest: Mapping[str, Any]) -> str:
    """Return the digest that names a model: the same options, data and seed give the same one.

    SHA-256 over the hashes of the files that answers come from. :data:`RECORDS` are verified like them, but
    do not name the model; a model within it counts by its own digest.

    Parameters
    ----------
    directory
        The model directory, whose other files are in place.
    manifest
        Its manifest; directories of the first schema count every file.

    Raises
    ------
    ModelDirectoryError
        If the manifest of a model within has no digest.
    """
    files: Mapping[str, str] = manifest["files"]
    parts = dict(files)
    if manifest["schema_version"] > 1:
        within = {name.removesuffix(f"/{MANIFEST}") for name in files if name.endswith(f"/{MANIFEST}")}
        parts = {
            name: value
            for name, value in files.items()
            if name not in RECORDS and name.rpartition("/")[0] not in within
        }
        parts |= {name: _digest_within(directory / name / MANIFEST) for name in within}
    return hashlib.sha256(json.dumps([manifest["kind"], sorted(parts.items())]).encode()).hexdigest()


def _digest_within(path: Path) -> str:
    manifest = read_strictly(path)
    if not isinstance(manifest, dict) or not isinstance(digest := manifest.get("digest"), str):
        raise ModelDirectoryError("has no digest", where=str(path))
    return digest
