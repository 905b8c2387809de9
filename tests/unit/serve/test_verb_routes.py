"""Every verb of the service answers as the library does, every row in its place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from tests.unit.serve.conftest import SMILES

from cytomol.cells.explain.choose_value import ValueChoice, choose_value
from cytomol.cells.explain.occluded_atoms import occlude_value
from cytomol.predict.task_attribution import explain_tasks
from cytomol.serve.served_models import ServedModels
from cytomol.serve.service_app import create_service

MIXED = ["CCO", "not a molecule", "c1ccccc1N", None, "", "C" * 101, "C" * 1001, "c1ccccc1N"]
REASONS = [
    None,
    "SMILES Parse Error",
    None,
    "no SMILES",
    "no SMILES",
    "101 atoms, more than max_atoms 100",
    "1,001 characters",
    None,
]


def rows_of(client: TestClient, verb: str, **body: Any) -> list[dict[str, Any]]:
    response = client.post(f"/v1/{verb}", json=body)
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()["rows"]
    return rows


def assert_in_place(rows: list[dict[str, Any]]) -> None:
    for row, reason in zip(rows, REASONS, strict=True):
        assert (row["error"] is None) == (reason is None)
        assert reason is None or row["error"].startswith(reason)
        assert reason is None or set(row) == {"error"}


def close(value: float | None, other: float) -> bool:
    return bool(np.isnan(other)) if value is None else bool(np.isclose(value, other, rtol=1e-5, atol=1e-12))


def test_predictions_are_those_of_the_predictor(client: TestClient, models: ServedModels) -> None:
    rows = rows_of(client, "predict", molecules=MIXED, coverage=0.8)
    assert_in_place(rows)
    predictor = models["assays"].predictor
    assert predictor is not None
    texts = [text or "" for text in MIXED]
    frame = predictor.predict(texts, cache=None, uncertainty=True, coverage=0.8, evidence=True).frame()
    for place in (0, 2, 7):
        row, told = rows[place], frame.iloc[place]
        size, aromatic, ring = (row["tasks"][name] for name in ("size", "aromatic", "ring"))
        assert size["value"] == told["size"]
        for name in ("low", "high", "std"):
            assert close(size[name], told[f"size_{name}"] if np.isfinite(told[f"size_{name}"]) else np.nan)
        assert aromatic["probability"] == told["aromatic"]
        assert aromatic["class"] == told["aromatic_class"]
        assert aromatic["calibrated"] == told["aromatic_calibrated"]
        assert "|".join(aromatic["set"]) == told["aromatic_set"]
        assert ring["class"] == told["ring"]
        assert "|".join(ring["set"]) == told["ring_set"]
        assert ring["classes"]["pyridine"]["probability"] == told["ring=pyridine"]
        assert (row["domain"], row["domain_reason"]) == (told["domain"], told["domain_reason"])
        assert row["similarity"] == told["similarity"]
        assert row["nearest"][0]["smiles"] == told["nearest_smiles"]
    # measured values: a class by its name, a bound as it is written
    near = {one["smiles"]: one["measured"] for row in rows if not row["error"] for one in row["nearest"]}
    assert near["Nc1ccccc1"] == {"size": 9, "aromatic": "yes", "ring": "benzene"}
    assert near["Cc1ccccc1"]["size"] == ">9"


def test_what_the_model_holds_is_given_unless_left_out(client: TestClient, plain: ServedModels) -> None:
    full, bare = (
        rows_of(client, "predict", molecules=["CCO"], model="assays", **more)[0]
        for more in ({}, {"uncertainty": False})
    )
    assert "domain" in full
    assert "nearest" in full
    assert set(bare) == {"error", "tasks"}
    assert bare["tasks"]["size"] == {"kind": "regression", "value": full["tasks"]["size"]["value"]}
    only = rows_of(client, "predict", molecules=["CCO"], uncertainty=False, evidence=True)[0]
    assert "nearest" in only
    assert "domain" not in only
    with TestClient(create_service(plain), base_url="http://localhost") as other:
        assert set(rows_of(other, "predict", molecules=["CCO"])[0]) == {"error", "tasks"}
        refused = other.post("/v1/predict", json={"molecules": ["CCO"], "uncertainty": True})
    assert refused.status_code == 422
    assert refused.json()["error"]["where"] == "uncertainty"


def test_embeddings_are_those_of_the_backbone(client: TestClient, models: ServedModels) -> None:
    rows = rows_of(client, "embed", molecules=MIXED)
    assert_in_place(rows)
    backbone = models["cells"].backbone
    assert backbone is not None
    expected, _ = backbone.embed([text or "" for text in MIXED])
    for place in (0, 2, 7):
        assert np.allclose(rows[place]["embedding"], expected[place], rtol=1e-5)


def test_imputed_profiles_are_those_of_the_imputer(client: TestClient, models: ServedModels) -> None:
    response = client.post("/v1/impute", json={"molecules": MIXED, "modalities": ["genes"], "coverage": 0.5})
    answer = response.json()
    assert_in_place(answer["rows"])
    imputed = models["cells"].imputer(["genes"], coverage=0.5).impute([text or "" for text in MIXED])
    assert list(answer["modalities"]) == ["genes"]
    assert answer["modalities"]["genes"]["columns"] == ["ATF1", "TP53", "MYC"]
    assert np.allclose(answer["modalities"]["genes"]["half_width"], imputed.half_width["genes"][0], rtol=1e-5)
    assert np.allclose(answer["rows"][0]["expected"]["genes"], imputed.expected["genes"][0], rtol=1e-5)
    assert set(rows_of(client, "impute", molecules=["CCO"])[0]["expected"]) == {"painting", "genes"}


def test_tasks_are_explained(client: TestClient, models: ServedModels) -> None:
    molecules = ["OCC", "not a molecule", "c1ccccc1N"]
    rows = rows_of(client, "explain", molecules=molecules, model="assays", tasks=["size", "ring"])
    predictor = models["assays"].predictor
    assert predictor is not None
    told = explain_tasks(predictor, molecules, ["size", "ring"])
    assert rows[1]["error"].startswith("SMILES Parse Error")
    for row, one in ((rows[0], told[0]), (rows[2], told[2])):
        assert list(row["explained"]) == [each.name for each in one.attributions]
        assert len(row["explained"]["size"]["atoms"]) == len(row["symbols"]) == sum(map(len, row["pieces"]))
        assert np.allclose(row["explained"]["size"]["atoms"], one.attributions[0].atoms, rtol=1e-5)
    assert rows[0]["read_as"] == "OCC"
    assert rows[0]["symbols"] == ["O", "C", "C"]


@pytest.mark.parametrize(
    "choice", [{"modality": "genes"}, {"modality": "painting", "feature": "Cells_1"}, {"of": "norm"}]
)
def test_what_a_molecule_does_to_a_cell_is_explained(
    client: TestClient, models: ServedModels, choice: dict[str, str]
) -> None:
    body = {"modality": "painting", **choice}
    (row,) = rows_of(client, "explain", molecules=["OCc1ccccc1"], model="cells", **body)
    backbone = models["cells"].backbone
    assert backbone is not None
    value = choose_value(backbone, ValueChoice(body["modality"], body.get("feature"), body.get("of")))
    (told,) = occlude_value(backbone, ["OCc1ccccc1"], value)
    (found,) = row["explained"].values()
    assert np.allclose(found["atoms"], told.attributions[0].atoms, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(
    ("verb", "body", "where"),
    [
        ("predict", {"model": "cells"}, "model"),
        ("predict", {"model": "nobody"}, "model"),
        ("explain", {}, "model"),  # both models can
        ("explain", {"model": "assays", "tasks": ["nothing"]}, None),
        ("explain", {"model": "assays", "tasks": ["size"], "of": "norm"}, "tasks"),
        ("explain", {"model": "assays", "modality": "genes"}, None),
        ("explain", {"model": "cells", "tasks": ["size"]}, None),
        ("explain", {"model": "cells", "feature": "MYC", "of": "norm"}, "of"),
        ("explain", {"model": "cells", "modality": "genes", "feature": "nothing"}, None),
        ("impute", {"modalities": ["nothing"]}, "modalities"),
        ("predict", {"coverage": 1}, "coverage"),
        ("predict", {"molecule": ["C"]}, "molecule"),
    ],
)
def test_a_request_that_makes_no_sense_is_told_why(
    client: TestClient, verb: str, body: dict[str, Any], where: str | None
) -> None:
    response = client.post(f"/v1/{verb}", json={"molecules": ["CCO"], **body})
    assert response.status_code == 422, response.text
    error = response.json()["error"]
    assert error["code"] == "input"
    assert where is None or error["where"] == where
    assert error["message"]


def test_models_are_described(client: TestClient) -> None:
    assays, cells = client.get("/v1/models").json()["models"]
    assert assays["name"] == "assays"
    assert assays["verbs"] == ["predict", "explain"]
    assert [(task["name"], task["kind"]) for task in assays["tasks"]] == [
        ("size", "regression"),
        ("aromatic", "binary"),
        ("ring", "multiclass"),
    ]
    assert assays["uncertainty"]
    assert cells["verbs"] == ["embed", "match", "impute", "explain"]
    assert cells["modalities"] == {"painting": 6, "genes": 3}
    assert cells["embedding_width"] == 32


def test_an_answer_does_not_depend_on_how_often_it_is_asked(client: TestClient) -> None:
    once = [rows_of(client, "predict", molecules=[smiles])[0] for smiles in SMILES[:6]]
    assert rows_of(client, "predict", molecules=SMILES[:6]) == once
