"""The section on whole predictions says what its rows say, reached or not."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from benchmarks.speed.end_to_end import ROWS, main
from benchmarks.speed.material import Material
from benchmarks.speed.measure import Figure
from benchmarks.speed.whole_predictions import whole_predictions


def rows(ours: float, peers: tuple[float, ...], cold: float, warm: float) -> pd.DataFrame:
    figure = partial(Figure, threads=2, repeats=3, note="what it does")
    found = [figure(ROWS[0], "cytomol recipe", unit="mol/s", median=ours, low=ours, high=ours)]
    found += [
        figure(ROWS[0], f"peer {place}", unit="mol/s", median=rate, low=rate, high=rate)
        for place, rate in enumerate(peers)
    ]
    for row, seconds in zip(ROWS[1:], (cold, warm), strict=True):
        found.append(figure(row, "cytomol recipe", unit="s", median=seconds, low=seconds, high=seconds))
    return pd.DataFrame([asdict(one) | {"corpus": "planted", "machine": "a machine"} for one in found])


@pytest.mark.parametrize(
    ("ours", "cold", "warm", "words"),
    [(300.0, 1.9, 0.009, ["yes"] * 3), (299.0, 2.1, 0.011, ["**no**"] * 3)],
)
def test_what_is_asked_is_held_against_the_faster_peer(
    ours: float, cold: float, warm: float, words: list[str]
) -> None:
    text = "\n".join(whole_predictions(rows(ours, (40.0, 100.0), cold, warm)))
    lines = [line for line in text.splitlines() if "cytomol recipe |" in line]
    assert [line.split("|")[-2].strip() for line in lines] == words
    assert f"{ours / 100:.1f} x" in lines[0]


def test_without_peers_nothing_is_said_of_them() -> None:
    text = "\n".join(whole_predictions(rows(300.0, (), 1.0, 1.0)))
    assert " x |" not in text
    assert "nan" not in text


few = Material.load


@pytest.mark.slow
def test_the_command_writes_a_row_for_every_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With heads alone, on a planted corpus; peers are not there."""
    monkeypatch.delenv("CYTOMOL_DATA", raising=False)
    monkeypatch.setattr(
        "benchmarks.speed.end_to_end._OURS",
        {"cytomol heads": (("--learner", "neighbours", "--calibration-folds", "0"), "neighbours")},
    )
    monkeypatch.setattr("benchmarks.speed.end_to_end.Material.load", lambda sample: few(sample, planted=200))
    out = tmp_path / "rows.csv"
    main(["--molecules", "5", "--repeats", "1", "--work", str(tmp_path / "work"), "-o", str(out)])
    table = pd.read_csv(out)
    assert list(table["row"]) == list(ROWS)
    assert (table["median"] > 0).all()
    assert "planted" in table["corpus"].iloc[0]
