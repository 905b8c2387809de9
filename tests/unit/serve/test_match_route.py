"""Matches of the service are those of the library, and a request that does not fit is told where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.unit.cells.small_models import COLUMNS
from tests.unit.serve.conftest import SMILES

from cytomol.cells.match.match import match
from cytomol.serve.served_models import ServedModels

FEATURES = list(COLUMNS["painting"])


def some_profiles(rows: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(3).normal(5, 2, (rows, len(FEATURES))).astype(np.float32)


def side(values: np.ndarray[Any, Any], columns: list[str] = FEATURES) -> dict[str, Any]:
    rows = [[None if np.isnan(value) else float(value) for value in row] for row in values]
    return {"profiles": {"columns": columns, "values": rows}}


def test_molecules_are_ranked_for_a_profile(client: TestClient, models: ServedModels) -> None:
    values = some_profiles(3)
    values[1] = np.nan
    backwards = side(values[:, ::-1], FEATURES[::-1])  # by name, not by place
    molecules = [*SMILES[:8], "not a molecule"]
    ids = [f"m{row}" for row in range(9)]
    answer = client.post(
        "/v1/match",
        json={
            "queries": backwards,
            "candidates": {"molecules": molecules, "ids": ids},
            "modality": "painting",
            "top": 4,
        },
    ).json()
    found = match(models["cells"].space("painting"), values, molecules, top=4)
    assert answer["candidates"] == 8
    assert [(one["row"], one["error"][:6]) for one in answer["left_out"]] == [(9, "SMILES")]
    assert answer["rows"][1]["error"] == "nothing was measured"
    for place in (0, 2):
        matches = answer["rows"][place]["matches"]
        assert [one["row"] for one in matches] == (found.rows[place] + 1).tolist()
        assert [one["id"] for one in matches] == [f"m{row}" for row in found.rows[place]]
        assert np.allclose([one["similarity"] for one in matches], found.similarity[place], rtol=1e-5)
        assert np.allclose([one["spreads"] for one in matches], found.spreads[place], rtol=1e-4)


def test_molecules_that_act_alike_and_profiles_for_a_molecule(client: TestClient) -> None:
    alike = {"queries": {"molecules": ["CCO", "x"]}, "candidates": {"molecules": ["c1ccccc1", "CCO"]}}
    answer = client.post("/v1/match", json={**alike, "modality": "genes"}).json()
    assert answer["rows"][0]["matches"][0]["row"] == 2
    assert answer["rows"][0]["matches"][0]["similarity"] == pytest.approx(1)
    assert answer["rows"][1]["error"].startswith("SMILES Parse Error")
    for_one = {"queries": {"molecules": ["CCO"]}, "candidates": side(some_profiles(5)), "top": 1000}
    answer = client.post("/v1/match", json={**for_one, "modality": "painting"}).json()
    assert sorted(one["row"] for one in answer["rows"][0]["matches"]) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"modality": None}, None),  # there are two
        ({"modality": "nothing"}, None),
        ({"queries": {}}, "queries"),
        ({"queries": {"molecules": ["C"], **side(some_profiles(1))}}, "queries"),
        ({"queries": {"molecules": ["C"], "ids": ["a", "b"]}}, "queries.ids"),
        ({"queries": side(some_profiles(1)[:, :5], FEATURES[:5])}, "queries.profiles"),
        ({"queries": {"profiles": {"columns": FEATURES, "values": [[1.0]]}}}, "queries.profiles.values[0]"),
        ({"queries": side(some_profiles(1), [FEATURES[0]] * 6)}, "queries.profiles.columns"),
        (
            {"queries": {"profiles": {"columns": FEATURES, "values": [[1e300] * 6]}}},
            "queries.profiles.values",
        ),
        ({"candidates": {"molecules": ["x", None]}}, "candidates"),
        ({"top": 0}, "top"),
    ],
)
def test_a_request_that_does_not_fit(client: TestClient, change: dict[str, Any], where: str | None) -> None:
    body = {"queries": {"molecules": ["C"]}, "candidates": {"molecules": ["CC"]}, "modality": "painting"}
    response = client.post("/v1/match", json={**body, **change})
    assert response.status_code == 422, response.text
    assert where is None or response.json()["error"]["where"] == where


def test_no_query_has_a_place(client: TestClient) -> None:
    body = {"queries": {"molecules": ["x"]}, "candidates": {"molecules": ["CC"]}, "modality": "painting"}
    answer = client.post("/v1/match", json=body).json()
    assert answer["candidates"] == 1
    assert answer["rows"][0]["error"].startswith("SMILES Parse Error")
