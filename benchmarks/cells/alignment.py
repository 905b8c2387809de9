"""How far training aligns: ``python -m benchmarks.cells.alignment --work WORK --backbones DIR -o OUT``.

Every backbone ``GROUND-METHOD-0`` that lies in DIR, pretrained without the molecules of fold 0, is looked at
on these and, for comparison, on as many molecules that it has learnt from. Coordinates (t-SNE) of molecules
and profiles are written to WORK, since they show measured data. Seed 0; a backbone that has rows is passed
over.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.cells.ground import Ground, planted_ground, real_ground

from cytomol.artifact.backbone import Backbone
from cytomol.corpus import read_corpus
from cytomol.evaluate.alignment.aligned_tables import compared_modalities, seen
from cytomol.evaluate.alignment.alignment_rows import COLUMNS, alignment_rows, coordinates
from cytomol.files import atomic_file
from cytomol.training.dataset.exclude import connectivity_blocks

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[2]
_OUT = _ROOT / "benchmarks" / "results" / "cells" / "alignment.csv"
_KEY = ("corpus", "method", "molecules_are")
_MOST = 600


def main(arguments: list[str] | None = None) -> int:
    """Look at the backbones that have no rows yet and write the rows; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells.alignment", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="folder outside the repository")
    parser.add_argument("--backbones", type=Path, required=True, help="folder of the backbones")
    parser.add_argument("-o", "--out", type=Path, default=_OUT)
    options = parser.parse_args(arguments)
    rows = pd.read_csv(options.out) if options.out.exists() else pd.DataFrame(columns=[*_KEY, *COLUMNS])
    for name, ground in (("planted", planted_ground), ("real", real_ground)):
        for method in ("contrastive", "chmr", "infoalign"):
            path = options.backbones / f"{name}-{method}-0"
            done = ((rows["corpus"] == name) & (rows["method"] == method)).any()
            if done or not (path / "manifest.json").is_file():
                continue
            new = _look(path, ground(options.work), options.work / f"places-{name}-{method}.parquet")
            new.insert(0, "corpus", name)
            new.insert(1, "method", method)
            rows = new if rows.empty else pd.concat([rows, new], ignore_index=True)
            options.out.parent.mkdir(parents=True, exist_ok=True)
            with atomic_file(options.out, force=True) as temporary:
                rows.to_csv(temporary, index=False, float_format="%.4f", lineterminator="\n")
            print(f"{name} {method}: {len(new)} rows", flush=True)
    return 0


def _look(path: Path, ground: Ground, places: Path) -> pd.DataFrame:
    """Return the rows of one backbone, on molecules held out and learnt from."""
    corpus = read_corpus(ground.corpus)
    backbone = Backbone.load(path)
    modalities = [
        one for one in compared_modalities(backbone, corpus) if one.projected or one.entity == "molecule"
    ]
    blocks = np.array(connectivity_blocks(corpus))
    held = np.isin(blocks, pd.read_csv(ground.held_out(0))["inchikey"].to_numpy(str))
    parts = []
    for word, only in (("held out", held), ("learnt from", ~held)):
        table = seen(corpus, modalities, only=only, most=_MOST)
        frame = alignment_rows(backbone, modalities, table, report=lambda text: print(text, flush=True))
        frame.insert(0, "molecules_are", word)
        parts.append(frame)
        if word == "held out":
            coordinates(backbone, modalities, table).to_parquet(places, index=False)
    return pd.concat(parts, ignore_index=True)


if __name__ == "__main__":
    sys.exit(main())
