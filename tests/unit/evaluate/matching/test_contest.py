"""One table of rows over entrants, strata and directions."""

from __future__ import annotations

import numpy as np
import pytest

from cytomol.errors import InputError
from cytomol.evaluate.matching.contest import DIRECTIONS, rank_entrant, rows_of
from cytomol.evaluate.matching.entrants import Entrant
from cytomol.evaluate.matching.figures import FIGURES
from cytomol.evaluate.matching.strata import Stratum
from cytomol.evaluate.matching.summary_lines import summary_lines

EVERYONE = Stratum("all", np.ones(30, bool), np.ones(30, bool))
HALF = Stratum("half", np.arange(30) < 5, np.arange(30) < 15)


def entrant(name: str, noise: float) -> Entrant:
    rng = np.random.default_rng(0)
    profiles = rng.normal(size=(30, 6))
    molecules = profiles + rng.normal(0, noise, (30, 6))

    def places() -> tuple[np.ndarray, np.ndarray]:
        return tuple(rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (molecules, profiles))

    return Entrant(name, "no", places)


def test_rows_hold_every_figure_of_every_part() -> None:
    rankings = {
        name: rank_entrant(entrant(name, noise), [EVERYONE, HALF])
        for name, noise in (("good", 0.1), ("bad", 9))
    }
    rows = rows_of(rankings, {"good": "no", "bad": "unknown"}, reference="bad", draws=200)
    assert len(rows) == 2 * 2 * 2 * len(FIGURES)
    assert set(rows["direction"]) == set(DIRECTIONS)
    part = rows.set_index(["model", "stratum", "direction", "figure"])
    good = part.loc["good", "all", DIRECTIONS[0], "MRR"]
    assert good["low"] <= good["value"] <= good["high"]
    assert good["difference_low"] > 0
    assert good["difference"] == pytest.approx(
        good["value"] - part.loc["bad", "all", DIRECTIONS[0], "MRR"]["value"]
    )
    assert part.loc["good", "half", DIRECTIONS[1], "MRR"][["queries", "candidates"]].tolist() == [5, 15]
    own = rows[rows["model"] == "bad"]
    assert own["difference"].isna().all()
    assert (own["seen"] == "unknown").all()


def test_lines_mark_what_is_better_and_what_is_worse() -> None:
    rankings = {
        name: rank_entrant(entrant(name, noise), [EVERYONE]) for name, noise in (("a", 0.1), ("b", 9))
    }
    better = summary_lines(rows_of(rankings, {"a": "no", "b": "no"}, reference="b", draws=200))
    assert any(line.lstrip().startswith("a") and line.count("+") == 5 for line in better)
    worse = summary_lines(rows_of(rankings, {"a": "no", "b": "no"}, reference="a", draws=200))
    assert any(line.lstrip().startswith("b") and line.count("]-") == 5 for line in worse)


def test_a_molecule_without_a_place_is_said() -> None:
    def places() -> tuple[np.ndarray, np.ndarray]:
        return np.full((30, 2), np.nan), np.ones((30, 2))

    with pytest.raises(InputError, match="broken cannot place 30 molecules"):
        rank_entrant(Entrant("broken", "no", places), [EVERYONE])
