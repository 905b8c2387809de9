"""The service keeps to its own description: requests made from it, good and bad, are answered as it says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.types import Receive, Scope, Send
from tests.unit.serve.conftest import LIMITS

from cytomol.serve.served_models import ServedModels
from cytomol.serve.service_app import create_service

VERBS = ("predict", "embed", "match", "impute", "explain")
PATHS = ["/healthz", "/readyz", "/metrics", "/v1/models", *(f"/v1/{verb}" for verb in VERBS)]


@pytest.fixture(scope="module")
def operations(models: ServedModels) -> dict[str, Any]:
    """Return what can be asked, by path, as the description has it."""
    app = create_service(models, LIMITS)

    async def by_its_name(scope: Scope, receive: Receive, send: Send) -> None:
        """Call the service as localhost, whatever the generated headers say."""
        if scope["type"] == "http":
            rest = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "headers": [(b"host", b"localhost"), *rest]}
        await app(scope, receive, send)

    schema = schemathesis.openapi.from_asgi("/openapi.json", by_its_name)
    return {found.ok().path: found.ok() for found in schema.get_all_operations()}


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", PATHS)
def test_what_is_described_is_what_is_answered(
    operations: dict[str, Any], path: str, mode: GenerationMode
) -> None:
    operation = operations[path]
    if mode is GenerationMode.NEGATIVE and not path.startswith(tuple(f"/v1/{verb}" for verb in VERBS)):
        pytest.skip("takes nothing that could be wrong")
    asked = 0

    @settings(
        max_examples=10,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: schemathesis.Case) -> None:
        nonlocal asked
        asked += 1
        # what a model knows (its name, its modalities) stands in no description
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    ask()
    assert asked


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


def test_every_answer_is_as_described(client: TestClient) -> None:
    """The answers are not made by the models that describe them, so they are held to these here."""
    from cytomol.serve import answer_bodies

    molecules = ["CCO", "x"]
    sides = {"queries": {"molecules": molecules}, "candidates": {"molecules": molecules}, "modality": "genes"}
    asked: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
        "predict": (answer_bodies.PredictAnswer, {"molecules": molecules}),
        "embed": (answer_bodies.EmbedAnswer, {"molecules": molecules}),
        "match": (answer_bodies.MatchAnswer, sides),
        "impute": (answer_bodies.ImputeAnswer, {"molecules": molecules}),
        "explain": (answer_bodies.ExplainAnswer, {"molecules": molecules, "model": "assays"}),
    }
    for verb, (kind, body) in asked.items():
        told = client.post(f"/v1/{verb}", json=body).json()
        again = kind(**told).model_dump(mode="json", by_alias=True, exclude_unset=True)
        assert again == told  # nothing is told that is not described
