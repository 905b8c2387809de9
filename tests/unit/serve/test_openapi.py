"""The service keeps to its own description: requests made from it, good and bad, are answered as it says."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings
from schemathesis.config import SchemathesisConfig

VERBS = ("predict", "embed", "match", "impute", "explain")
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(app: FastAPI) -> Any:
    config = SchemathesisConfig.from_dict({"headers": {"Host": "localhost"}})
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=config, headers={"Host": "localhost"})


described = schemathesis.pytest.from_fixture("schema")


@described.parametrize()
@BOUNDED
def test_what_is_described_is_what_is_answered(case: schemathesis.Case) -> None:
    case.call_and_validate(
        headers={"Host": "localhost"},
        excluded_checks=[schemathesis.checks.not_a_server_error] if case.path == "nothing" else None,
    )


def test_the_description_is_whole(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    for verb in VERBS:
        post = described["paths"][f"/v1/{verb}"]["post"]
        assert post["description"]
        assert {"200", "400", "401", "403", "413", "415", "422", "503", "504"} <= set(post["responses"])
        for status, response in post["responses"].items():
            schema = response["content"]["application/json"]["schema"]
            assert schema["$ref"].endswith("ErrorAnswer" if status != "200" else f"{verb.title()}Answer")
    bodies = described["components"]["schemas"]
    assert bodies["PredictBody"]["properties"]["molecules"]["examples"]
