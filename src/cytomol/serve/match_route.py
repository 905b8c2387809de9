"""The verb match as an HTTP route: both sides are placed by the model, then compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response
from numpy.typing import NDArray

from cytomol.counted import counted
from cytomol.errors import CytomolError
from cytomol.serve.answer_bodies import MatchAnswer
from cytomol.serve.asking import Asker, problem_of
from cytomol.serve.predicted_rows import plain_number
from cytomol.serve.questions import PlaceProfilesQuestion, PlaceQuestion
from cytomol.serve.request_bodies import MatchBody, Profiles, Side
from cytomol.serve.request_problem import RequestProblem
from cytomol.serve.served_models import ServedModel, ServedModels
from cytomol.serve.verb_routes import ERRORS, answer_body, check_numbers, check_rows, chosen

__all__ = ["match_route"]

Row = dict[str, Any]


def match_route(models: ServedModels, asker: Asker) -> APIRouter:
    """Return the route of match."""
    router = APIRouter(prefix="/v1", responses=ERRORS)

    @router.post("/match", response_model=MatchAnswer, tags=["cells"])
    async def match(request: Request, body: MatchBody) -> Response:
        """Rank candidates for each query: molecules for a cell profile, profiles for a molecule, or alike."""
        model = chosen(models, body.model, "match")
        try:
            space = model.space(body.modality)
        except CytomolError as error:
            raise problem_of(error) from None
        modality = space.modality.name
        sides = {"queries": body.queries, "candidates": body.candidates}
        prepared = {
            name: _prepared(model, modality, side, name, asker.limits.rows) for name, side in sides.items()
        }
        top = min(body.top, len(prepared["candidates"][1]))
        check_numbers(len(prepared["queries"][1]), top, asker.limits.numbers)
        queries, candidates = [
            await asker.ask(request, question, rows) for question, rows in prepared.values()
        ]
        rows = await run_in_threadpool(_matched, queries, candidates, body, top)
        left_out = [
            {"row": place + 1, "error": row["error"]} for place, row in enumerate(candidates) if row["error"]
        ]
        return answer_body(
            {
                "model": model.name,
                "modality": modality,
                "way": space.way,
                "candidates": len(candidates) - len(left_out),
                "left_out": left_out,
                "rows": rows,
            }
        )

    return router


def _prepared(
    model: ServedModel, modality: str, side: Side, name: str, most: int
) -> tuple[PlaceQuestion | PlaceProfilesQuestion, Sequence[Any]]:
    """Return the question that places one side, and its rows.

    Raises
    ------
    RequestProblem
        If it holds neither molecules nor profiles, or both, or too many, or not the model's features.
    """
    if (side.molecules is None) == (side.profiles is None):
        raise RequestProblem(
            422, "input", "one of molecules and profiles is needed", name, "give one of the two"
        )
    rows: Sequence[Any] = side.molecules if side.profiles is None else side.profiles.values  # type: ignore[assignment]
    check_rows(rows, most, name)
    if side.ids is not None and len(side.ids) != len(rows):
        ids, asked = counted(len(side.ids), "id", comma=False), counted(len(rows), "row", comma=False)
        raise RequestProblem(422, "input", f"{ids} for {asked}", f"{name}.ids", "give one for each row")
    if side.profiles is None:
        return PlaceQuestion(model.name, modality), rows
    return PlaceProfilesQuestion(model.name, modality), list(_aligned(model, modality, side.profiles, name))


def _aligned(model: ServedModel, modality: str, profiles: Profiles, name: str) -> NDArray[np.float32]:
    """Return profiles with the model's features in its order, shape (n, width)."""
    width = len(profiles.columns)
    for place, row in enumerate(profiles.values):
        if len(row) != width:
            raise RequestProblem(
                422,
                "input",
                f"{counted(len(row), 'value', comma=False)} for {counted(width, 'column', comma=False)}",
                f"{name}.profiles.values[{place}]",
                "null stands for what was not measured",
            )
    if len(set(profiles.columns)) < width:
        raise RequestProblem(422, "input", "two columns have one name", f"{name}.profiles.columns")
    given = np.array(
        [[np.nan if value is None else value for value in row] for row in profiles.values], np.float64
    )
    if (np.abs(given) > np.finfo(np.float32).max).any():
        raise RequestProblem(422, "input", "a value exceeds 32-bit numbers", f"{name}.profiles.values")
    values = given.astype(np.float32)
    try:
        return model.space(modality).modality.aligned(
            values, tuple(profiles.columns), where=f"{name}.profiles"
        )
    except CytomolError as error:
        raise problem_of(error) from None


def _matched(queries: list[Row], candidates: list[Row], body: MatchBody, top: int) -> list[Row]:
    """Return the row of each query: its candidates, the best first."""
    from cytomol.cells.match.match import rank_places

    there, sought = _places(candidates), _places(queries)
    if there is None:
        raise RequestProblem(
            422, "input", f"no candidate has a place; the first: {candidates[0]['error']}", "candidates"
        )
    found = rank_places(
        np.full((len(queries), there.shape[1]), np.nan) if sought is None else sought, there, top
    )
    rows: list[Row] = []
    for place, query in enumerate(queries):
        known: Row = {"error": query["error"], "id": _id(body.queries, place)}
        if query["error"] is None:
            known["note"] = found.notes[place] or None
            known["matches"] = [
                {
                    "rank": rank + 1,
                    "row": row + 1,
                    "id": _id(body.candidates, row),
                    "similarity": plain_number(found.similarity[place, rank]),
                    "top_percent": plain_number(100 * (rank + 1) / found.candidates),
                    "spreads": plain_number(found.spreads[place, rank]),
                }
                for rank, row in enumerate(found.rows[place].tolist())
                if row >= 0
            ]
        rows.append(known)
    return rows


def _id(side: Side, row: int) -> str | None:
    return None if side.ids is None else side.ids[row]


def _places(rows: Sequence[Mapping[str, Any]]) -> NDArray[np.float32] | None:
    """Return the places of rows, NaN where one has none; None where none has."""
    found = [row["place"] for row in rows if row["error"] is None]
    if not found:
        return None
    none = np.full(len(found[0]), np.nan, np.float32)
    return np.stack([none if row["error"] is not None else row["place"] for row in rows])
