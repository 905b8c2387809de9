"""Compare descriptors with RDKit's, bits and time: ``python -m benchmarks.speed.descriptors``.

Every molecule goes through both, in turn, on one thread: RDKit's functions one by one on a fresh copy, as
`Descriptors.descList` has them, and ours. The first molecules warm both up and are not timed.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

_RESULTS = Path(__file__).resolve().parent.parent / "results" / "descriptors.csv"
_WARM = 1_000


@dataclass(frozen=True)
class Comparison:
    """What one run found; rates are molecules a second, mismatches values whose bits differ."""

    molecules: int
    descriptors: int
    mismatches: int
    rdkit_rate: float
    cytomol_rate: float
    ratio: float
    threads: int
    corpus: str
    machine: str


def compare_molecules(smiles: Sequence[str], *, warm: int = 0) -> tuple[int, int, float, float]:
    """Return molecules, values that differ, and the seconds of RDKit and of ours; ``warm`` are not timed."""
    import numpy as np
    from rdkit import Chem

    from cytomol.chem.descriptors import DESCRIPTOR_NAMES, exact_descriptors, one_by_one

    molecules, mismatches, seconds = 0, 0, [0.0, 0.0]
    for place, text in enumerate(smiles):
        mol = Chem.MolFromSmiles(text)
        if mol is None:
            continue
        rows = []
        ways = (one_by_one, exact_descriptors)
        for which in (0, 1) if place % 2 else (1, 0):
            copy = Chem.Mol(mol)
            began = time.perf_counter()
            row = ways[which](copy)
            if place >= warm:
                seconds[which] += time.perf_counter() - began
            rows.append(row)
        one, other = rows
        differs = (one.view(np.int64) != other.view(np.int64)) & ~(np.isnan(one) & np.isnan(other))
        for name in np.array(DESCRIPTOR_NAMES)[differs]:
            print(f"{text}: {name} differs", file=sys.stderr)
        mismatches += int(differs.sum())
        molecules += 1
    return molecules, mismatches, seconds[0], seconds[1]


def main(arguments: list[str] | None = None) -> None:
    """Draw molecules of the corpus, compare, write the row."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.descriptors", description=__doc__)
    parser.add_argument("--molecules", type=int, default=20_000, help="molecules of the corpus (20,000)")
    parser.add_argument("-o", "--output", type=Path, default=_RESULTS, help="table to write")
    options = parser.parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"

    from benchmarks.speed.material import Material
    from benchmarks.speed.measure import machine
    from rdkit import rdBase

    from cytomol.chem.descriptors import DESCRIPTOR_NAMES
    from cytomol.files import atomic_file

    material = Material.load(options.molecules)
    block = rdBase.BlockLogs()
    warm = min(_WARM, len(material.smiles) // 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        molecules, mismatches, rdkit, ours = compare_molecules(material.smiles, warm=warm)
    del block
    timed = molecules - warm
    found = Comparison(
        molecules,
        len(DESCRIPTOR_NAMES),
        mismatches,
        round(timed / rdkit, 1),
        round(timed / ours, 1),
        round(rdkit / ours, 2),
        1,
        material.name,
        machine(),
    )
    print(found, file=sys.stderr)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(options.output, force=True) as part, part.open("w", newline="") as file:
        table = csv.DictWriter(file, [field.name for field in fields(Comparison)], lineterminator="\n")
        table.writeheader()
        table.writerow(asdict(found))


if __name__ == "__main__":
    main()
