"""Make a model directory of weights that came home: ``python -m benchmarks.gpu.unpack OUT NAME MODELDIR``."""

from __future__ import annotations

import argparse
import sys
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

import torch
from benchmarks.gpu.pack import PACKED, parts_of

from cytomol.artifact.backbone import KIND
from cytomol.artifact.directory import load_model, save_model
from cytomol.errors import CytomolError, InputError

__all__ = ["main", "unpack"]


def unpack(out: Path, name: str, target: Path, *, force: bool = False) -> Path:
    """Join, check and write a model, its weights in float32 again.

    Parameters
    ----------
    out
        Folder that came home.
    name
        Name of the model, such as "infoalign-cell".
    target
        Model directory to be made.
    force
        Replace an existing one.

    Raises
    ------
    InputError
        If there is no such archive, or a part of it is missing.
    """
    parts = parts_of(out, name)
    if not parts:
        known = sorted({path.name.partition(".zip")[0] for path in out.glob("*.zip*")})
        raise InputError(
            f"holds no model {name!r}", where=str(out), hint=f"it holds {', '.join(known) or 'none'}"
        )
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "model"
        try:
            with zipfile.ZipFile(BytesIO(b"".join(path.read_bytes() for path in parts))) as archive:
                archive.extractall(place)
        except zipfile.BadZipFile as error:
            raise InputError(
                f"{', '.join(path.name for path in parts)} are no whole archive: {error}",
                where=str(out),
                hint="bring all parts home",
            ) from None
        model = load_model(place, kind=KIND)
        names = [p.name for p in place.iterdir() if p.suffix in {".md", ".json", ".csv"}]
        texts = {
            name: (place / name).read_text(encoding="utf-8")
            for name in names
            if name not in {"manifest.json", "config.json"}
        }
        weights = {k: t.float() if t.dtype == torch.float16 else t for k, t in model.weights.items()}
        return save_model(
            target,
            kind=KIND,
            config=model.config,
            weights=weights,
            statistics=model.statistics,
            texts=texts,
            force=force,
        )


def main(arguments: list[str] | None = None) -> int:
    """Unpack one model; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu.unpack", description=__doc__)
    parser.add_argument("out", type=Path, help="folder that came home")
    parser.add_argument("name", help="name of the model, such as infoalign-cell")
    parser.add_argument("target", type=Path, metavar="modeldir", help="model directory to be made")
    parser.add_argument("--force", action="store_true", help="replace an existing one")
    options = parser.parse_args(arguments)
    try:
        path = unpack(options.out, options.name, options.target, force=options.force)
    except CytomolError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"wrote {path}; {PACKED} in it says what it is")
    return 0


if __name__ == "__main__":
    sys.exit(main())
