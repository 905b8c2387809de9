"""The verbs of a service as HTTP routes: each checks its request, asks the model and lays out the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic_core import to_json

from cytomol.counted import counted
from cytomol.errors import CytomolError
from cytomol.serve.answer_bodies import (
    EmbedAnswer,
    ErrorAnswer,
    ExplainAnswer,
    ImputeAnswer,
    ModelsAnswer,
    PredictAnswer,
)
from cytomol.serve.asking import Asker, problem_of
from cytomol.serve.predicted_rows import plain_number
from cytomol.serve.questions import EmbedQuestion, ExplainQuestion, ImputeQuestion, PredictQuestion
from cytomol.serve.request_bodies import EmbedBody, ExplainBody, ImputeBody, PredictBody
from cytomol.serve.request_problem import REASONS, RequestProblem
from cytomol.serve.served_models import ServedModel, ServedModels, Verb
from cytomol.version import __version__

__all__ = ["ERRORS", "answer_body", "check_numbers", "check_rows", "chosen", "verb_routes"]

ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorAnswer, "description": reason} for status, reason in REASONS.items()
}


def answer_body(table: Mapping[str, Any]) -> Response:
    """Return an answer as JSON; numbers that are none are null."""
    return Response(to_json(table, inf_nan_mode="null"), media_type="application/json")


def chosen(models: ServedModels, name: str | None, verb: Verb) -> ServedModel:
    """Return the model that a request asks.

    Raises
    ------
    RequestProblem
        If there is none, or several and none is named.
    """
    try:
        return models.chosen(name, verb)
    except CytomolError as error:
        raise problem_of(error) from None


def check_rows(rows: Sequence[Any], most: int, where: str) -> None:
    """Refuse more rows than the service takes on.

    Raises
    ------
    RequestProblem
        If there are more.
    """
    if len(rows) > most:
        raise RequestProblem(
            413, "rows", f"{len(rows):,} rows, and the service takes {most:,}", where, "ask several times"
        )


def check_numbers(rows: int, width: int, most: int) -> None:
    """Refuse an answer of more numbers than the service gives.

    Raises
    ------
    RequestProblem
        If there are more.
    """
    if rows * width > most:
        answer = f"{counted(rows, 'row')} with {counted(width, 'number')}"
        raise RequestProblem(
            413,
            "numbers",
            f"an answer of {answer} each, and the service gives {most:,} in all",
            hint="ask about fewer rows at a time",
        )


def verb_routes(models: ServedModels, asker: Asker) -> APIRouter:
    """Return the routes of the verbs but match, and the list of models."""
    router = APIRouter(prefix="/v1", responses=ERRORS)
    descriptions = {"version": __version__, "models": [_described(model) for model in models.values()]}

    @router.get("/models", response_model=ModelsAnswer, tags=["models"])
    async def list_models() -> Response:
        """List the models, what each can be asked, and what is known of its answers."""
        return answer_body(descriptions)

    @router.post("/predict", response_model=PredictAnswer, tags=["molecules"])
    async def predict(request: Request, body: PredictBody) -> Response:
        """Predict the tasks of a fine-tuned model, with how certain each answer is."""
        check_rows(body.molecules, asker.limits.rows, "molecules")
        model = chosen(models, body.model, "predict")
        question = _predict_question(model, body)
        rows = await asker.ask(request, question, body.molecules)
        coverage = body.coverage if question.uncertainty else None
        return answer_body({"model": model.name, "coverage": coverage, "rows": rows})

    @router.post("/embed", response_model=EmbedAnswer, tags=["molecules"])
    async def embed(request: Request, body: EmbedBody) -> Response:
        """Return the embeddings of molecules."""
        check_rows(body.molecules, asker.limits.rows, "molecules")
        model = chosen(models, body.model, "embed")
        assert model.backbone is not None
        width = model.backbone.embedding_width
        check_numbers(len(body.molecules), width, asker.limits.numbers)
        rows = await asker.ask(request, EmbedQuestion(model.name), body.molecules)
        return answer_body({"model": model.name, "width": width, "rows": rows})

    @router.post("/impute", response_model=ImputeAnswer, tags=["cells"])
    async def impute(request: Request, body: ImputeBody) -> Response:
        """Return the cell profiles that molecules are expected to give."""
        check_rows(body.molecules, asker.limits.rows, "molecules")
        model = chosen(models, body.model, "impute")
        names = _imputed(model, body.modalities)
        widths = {name: len(model.modalities[name]) for name in names}
        check_numbers(len(body.molecules), sum(widths.values()), asker.limits.numbers)
        rows = await asker.ask(request, ImputeQuestion(model.name, names), body.molecules)
        about = _imputed_modalities(model, names, body.coverage)
        return answer_body(
            {"model": model.name, "coverage": body.coverage, "modalities": about, "rows": rows}
        )

    @router.post("/explain", response_model=ExplainAnswer, tags=["molecules"])
    async def explain(request: Request, body: ExplainBody) -> Response:
        """Say which atoms an answer rests on: a task, or what a molecule is expected to do to a cell."""
        check_rows(body.molecules, asker.limits.explained_rows, "molecules")
        model = chosen(models, body.model, "explain")
        rows = await asker.ask(request, _explain_question(model, body), body.molecules)
        return answer_body({"model": model.name, "rows": rows})

    return router


def _predict_question(model: ServedModel, body: PredictBody) -> PredictQuestion:
    """Return the question; what the model has is given unless the request leaves it out."""
    predictor = model.predictor
    assert predictor is not None
    has_uncertainty, has_evidence = predictor.uncertainty is not None, predictor.evidence is not None
    for name, wanted, there in (
        ("uncertainty", body.uncertainty, has_uncertainty),
        ("evidence", body.evidence, has_evidence),
    ):
        if wanted and not there:
            raise RequestProblem(422, "input", f"the model holds no {name}", name, "leave it out")
    uncertainty = has_uncertainty if body.uncertainty is None else body.uncertainty
    evidence = (uncertainty and has_evidence) if body.evidence is None else body.evidence
    return PredictQuestion(model.name, uncertainty, body.coverage if uncertainty else 0.9, evidence)


def _imputed(model: ServedModel, names: list[str] | None) -> tuple[str, ...]:
    if names is None:
        return model.imputed
    for name in names:
        if name not in model.imputed:
            raise RequestProblem(
                422,
                "input",
                f"the model imputes no profiles of {name[:80]!r}",
                "modalities",
                f"it imputes {', '.join(model.imputed)}",
            )
    return tuple(dict.fromkeys(names))


def _imputed_modalities(model: ServedModel, names: Sequence[str], coverage: float) -> dict[str, Any]:
    imputer = model.imputer(names, coverage=coverage)
    return {
        one.name: {
            "columns": one.columns,
            "half_width": [plain_number(half) for half in imputer.calibrations[one.name].half_width.tolist()],
        }
        for one in imputer.modalities
    }


def _explain_question(model: ServedModel, body: ExplainBody) -> ExplainQuestion:
    of_cell = {"modality": body.modality, "feature": body.feature, "of": body.of}
    asked = [name for name, value in of_cell.items() if value is not None]
    if body.tasks is not None and asked:
        raise RequestProblem(
            422, "input", f"tasks and {asked[0]} are asked for at once", "tasks", "ask for one of the two"
        )
    if body.feature is not None and body.of is not None:
        raise RequestProblem(422, "input", "feature and of are asked for at once", "of", "ask for one")
    try:
        if asked or model.predictor is None:
            return _of_cell(model, body)
        if body.tasks is None and not model.tasks:
            raise RequestProblem(422, "input", "the model has no tasks", "tasks")
        from cytomol.predict.task_attribution import named_tasks

        return ExplainQuestion(model.name, tuple(named_tasks(model.predictor, body.tasks or ())))
    except CytomolError as error:
        raise problem_of(error) from None


def _of_cell(model: ServedModel, body: ExplainBody) -> ExplainQuestion:
    from cytomol.cells.explain.choose_value import ValueChoice, choose_value

    if body.tasks is not None or model.backbone is None:
        what = "has no tasks" if model.predictor is None else "knows no cell profiles"
        raise RequestProblem(422, "input", f"the model {model.name!r} {what}", hint="see GET /v1/models")
    choose_value(model.backbone, ValueChoice(body.modality, body.feature, body.of))
    return ExplainQuestion(model.name, (), body.modality, body.feature, body.of)


def _described(model: ServedModel) -> dict[str, Any]:
    predictor = model.predictor
    tasks = () if predictor is None else predictor.tasks
    return {
        "name": model.name,
        "kind": model.kind,
        "verbs": list(model.verbs),
        "tasks": [{"name": task.name, "kind": task.kind, "classes": list(task.classes)} for task in tasks],
        "uncertainty": predictor is not None and predictor.uncertainty is not None,
        "evidence": predictor is not None and predictor.evidence is not None,
        "modalities": {name: len(columns) for name, columns in model.modalities.items()},
        "embedding_width": None if model.backbone is None else model.backbone.embedding_width,
        "notes": [] if predictor is None else predictor.notes(),
    }
