"""How much of what the exact search finds the index finds, for queries of the other kind too.

``python -m benchmarks.cells.match_index --model DIR --queries TABLE --in TABLE --work DIR -o OUT``: the index
of `cytomol match` is built beside the placed candidates, and asked for the queries and for the candidates
themselves.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from cytomol.artifact.backbone import load_backbone
from cytomol.cells.match.match_candidates import placed_candidates
from cytomol.cells.match.match_index import PlaceIndex, build_index
from cytomol.cells.match.match_search import exact_nearest
from cytomol.cells.match.match_table import match_table
from cytomol.cells.modality import trained_modality
from cytomol.cells.space import CellSpace
from cytomol.files import atomic_file

_NEAREST = 10


def main(args: list[str] | None = None) -> int:
    """Write the rows; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--modality")
    parser.add_argument("--queries", required=True)
    parser.add_argument("--in", dest="candidates", required=True)
    parser.add_argument("--work", type=Path, required=True, help="where the placed candidates are kept")
    parser.add_argument("-o", "--out", type=Path, required=True)
    given = parser.parse_args(args)
    modality = trained_modality(load_backbone(given.model), given.modality)
    space = CellSpace.of(modality)
    queries, candidates = (match_table(path, modality) for path in (given.queries, given.candidates))
    rows = []
    with placed_candidates(candidates, space, given.work / "placed", workers=1) as library:
        began = time.perf_counter()
        index = PlaceIndex(library) if PlaceIndex.exists(library) else build_index(library)
        built = time.perf_counter() - began
        placed = np.concatenate([part.places for part in queries.placed(space, workers=1)])
        placed = placed[~np.isnan(placed).any(axis=1)]
        exact = exact_nearest(placed, library.blocks(), _NEAREST).similarity
        found = index.nearest(placed, _NEAREST).similarity
        sizes = {"candidates": library.valid, "width": library.width, "seconds_to_build": round(built)}
        for kind, recall, asked in (
            (f"{candidates.holds}, among the candidates", index.recall.value, index.recall.rows),
            (f"{queries.holds}", float((found >= exact[:, -1:]).mean()), len(placed)),
        ):
            rows.append({"queries": kind, "asked": asked, "recall_at_10": round(recall, 4), **sizes})
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(given.out, force=True) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False, lineterminator="\n")
    print(pd.DataFrame(rows).to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
