"""Make model directories of weights that came home: ``python -m benchmarks.gpu.unpack OUT FOLDER``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

import torch
from benchmarks.gpu.pack import ARCHIVE, PACKED, parts_of

from cytomol.artifact.backbone import KIND
from cytomol.artifact.directory import load_model, save_model
from cytomol.errors import CytomolError, InputError

__all__ = ["main", "unpack"]

_NOT_COPIED = ("manifest.json", "config.json")


def unpack(out: Path, target: Path, *, force: bool = False) -> list[Path]:
    """Join, check and write the models of a folder, their weights in float32 again.

    Parameters
    ----------
    out
        Folder that came home.
    target
        Folder of the model directories to be made, each of the name that it has there.
    force
        Replace existing ones.

    Raises
    ------
    InputError
        If there is no archive, or a part of it is missing.
    """
    parts = parts_of(out)
    if not parts:
        raise InputError("holds no weights", where=str(out), hint=f"there is no {ARCHIVE}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(BytesIO(b"".join(path.read_bytes() for path in parts))) as archive:
                archive.extractall(folder)
        except zipfile.BadZipFile as error:
            raise InputError(
                f"{', '.join(path.name for path in parts)} are no whole archive: {error}",
                where=str(out),
                hint="bring all parts home",
            ) from None
        return [_unpacked(place, target / place.name, force) for place in sorted(Path(folder).iterdir())]


def _unpacked(place: Path, target: Path, force: bool) -> Path:
    model = load_model(place, kind=KIND)
    names = [p.name for p in place.iterdir() if p.suffix in {".md", ".json", ".csv"}]
    return save_model(
        target,
        kind=KIND,
        config=model.config,
        weights={k: t.float() if t.dtype == torch.float16 else t for k, t in model.weights.items()},
        statistics=model.statistics,
        texts={name: (place / name).read_text(encoding="utf-8") for name in names if name not in _NOT_COPIED},
        force=force,
    )


def main(arguments: list[str] | None = None) -> int:
    """Unpack all; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.unpack", description=__doc__)
    parser.add_argument("out", type=Path, help="folder that came home")
    parser.add_argument("target", type=Path, metavar="folder", help="where model directories are made")
    parser.add_argument("--force", action="store_true", help="replace existing ones")
    options = parser.parse_args(arguments)
    try:
        paths = unpack(options.out, options.target, force=options.force)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"wrote {', '.join(map(str, paths))}; {PACKED} in each says what it is")
    return 0


if __name__ == "__main__":
    sys.exit(main())
