"""The molecules of the map: those learnt from, then a library's, with ids and numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cytomol.serve.explorer.explored_library import ExploredLibrary
from cytomol.serve.explorer.explored_session import ExploredSession
from cytomol.tables.molecules import MoleculeTable


def test_what_was_learnt_from_stands_first(session: ExploredSession) -> None:
    library = session.library
    assert (len(library), library.learnt) == (81, 60)
    learnt, bought = library.about(1), library.about(61)
    assert learnt["values"] == {"length": 9.0, "nitrogen": "absent"}
    assert bought == {
        "row": 61,
        "id": "SH-001",
        "smiles": "Cc1ccccc1C",
        "learnt": False,
        "values": {"price": 0.1},
    }


def test_a_column_called_as_a_task_keeps_its_own_name(session: ExploredSession) -> None:
    frame = pd.DataFrame({"smiles": ["CCO", "CCN"], "length": ["1", "2"], "note": ["a", "b"]})
    library = ExploredLibrary.gather(session.model.served.predictor, MoleculeTable(frame, "smiles", "t"))
    assert list(library.numbers) == ["length", "nitrogen", "length (library)"]
    assert np.isnan(library.numbers["length"][60:]).all()
    assert library.numbers["length (library)"][60:].tolist() == [1.0, 2.0]
    assert library.ids[60] == "row 1"
