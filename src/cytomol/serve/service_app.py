"""The HTTP service: models behind a queue, gates before it, and what watches over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from cytomol.serve.access import AccessGate
from cytomol.serve.answer_bodies import StateAnswer
from cytomol.serve.asking import Asker
from cytomol.serve.batcher import Batcher
from cytomol.serve.body_limit import BodyLimit
from cytomol.serve.feature_pool import FeaturePool
from cytomol.serve.match_route import match_route
from cytomol.serve.questions import answerer
from cytomol.serve.request_problem import RequestProblem
from cytomol.serve.request_record import RequestRecord, request_id_of
from cytomol.serve.served_models import ServedModels
from cytomol.serve.service_limits import ServiceLimits
from cytomol.serve.service_log import log
from cytomol.serve.service_metrics import ServiceMetrics
from cytomol.serve.verb_routes import ERRORS, answer_body, verb_routes
from cytomol.version import __version__

__all__ = ["create_service"]

_SHOWN = 10  # mistakes of a request that one answer names
_ABOUT = """Ask models of cytomol about molecules.

Every molecule of a request is answered in its place; one that cannot be read has the reason in `error`.
Requests that come at the same time are answered together. Nothing that a client sends is opened as a file, or
written to the log."""


def create_service(
    models: ServedModels,
    limits: ServiceLimits | None = None,
    *,
    token: str | None = None,
    pool: FeaturePool | None = None,
) -> FastAPI:
    """Return the service of some models as an ASGI application.

    When the application stops, what waits is answered before the thread that owns the models ends.

    Parameters
    ----------
    models
        What answers.
    limits
        What the service takes on.
    token
        What requests must bear; None answers to callers on this machine alone.
    pool
        Reads molecules; None does so in this process. Whoever made it ends it.

    Examples
    --------
    >>> app = create_service(ServedModels([]))
    >>> "/v1/predict" in app.openapi()["paths"]
    True
    """
    limits = limits or ServiceLimits()
    batcher = Batcher(
        answerer(models, limits, pool),
        rows=limits.batch_rows,
        wait=limits.batch_wait,
        waiting=limits.waiting,
        done=lambda batch: metrics.batch(batch),  # noqa: PLW0108 - each needs the other
    )
    metrics = ServiceMetrics(lambda: batcher.waiting)
    stopping = False

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        nonlocal stopping
        stopping = False
        batcher.open()
        log("ready", models=list(models), version=__version__)
        yield
        stopping = True
        batcher.close()
        log("stopped")

    app = FastAPI(
        title="cytomol",
        version=__version__,
        description=_ABOUT,
        lifespan=lifespan,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    asker = Asker(batcher, limits, metrics)
    # says in the description that a token is needed; the gate asks for it
    bearer = [] if token is None else [Depends(HTTPBearer(auto_error=False))]
    app.include_router(verb_routes(models, asker), dependencies=bearer)
    app.include_router(match_route(models, asker), dependencies=bearer)
    _add_watch(app, metrics, lambda: not stopping and batcher.alive)
    _add_errors(app)
    paths = frozenset(app.openapi()["paths"]) | {"/openapi.json"}
    # the last one added is the first that a request meets
    app.add_middleware(BodyLimit, most=limits.body_bytes, seconds=limits.timeout)
    app.add_middleware(AccessGate, token=token)
    app.add_middleware(RequestRecord, metrics=metrics, paths=paths)
    return app


def _add_watch(app: FastAPI, metrics: ServiceMetrics, can_answer: Callable[[], bool]) -> None:
    """Add what watches over the service: whether it lives, whether it can answer, and its counts."""

    @app.get("/healthz", response_model=StateAnswer, tags=["watch"])
    async def healthz() -> Response:
        """Say that the process lives, also while it computes."""
        return answer_body({"status": "ok"})

    @app.get("/readyz", response_model=StateAnswer, responses={503: {"model": StateAnswer}}, tags=["watch"])
    async def readyz() -> Response:
        """Say whether the models are loaded and requests are taken."""
        if can_answer():
            return answer_body({"status": "ok"})
        return Response('{"status":"stopping"}', 503, media_type="application/json")

    @app.get(
        "/metrics",
        response_class=PlainTextResponse,
        responses={status: ERRORS[status] for status in (401, 403)},
        tags=["watch"],
    )
    async def count() -> Response:
        """Give the counts that Prometheus reads."""
        text, kind = metrics.page()
        return Response(text, media_type=kind)


def _add_errors(app: FastAPI) -> None:
    """Give every error of the framework the form that ours have."""

    @app.exception_handler(RequestProblem)
    async def refused(request: Request, problem: RequestProblem) -> Response:
        return _problem_response(problem, request)

    @app.exception_handler(RequestValidationError)
    async def senseless(request: Request, error: RequestValidationError) -> Response:
        mistakes = error.errors()
        if mistakes and mistakes[0]["type"] == "json_invalid":
            return _problem_response(RequestProblem(400, "json", "the body is not valid JSON"), request)
        said = [f"{_place(one['loc'])}: {one['msg']}" for one in mistakes[:_SHOWN]]
        more = f" and {len(mistakes) - _SHOWN} more" if len(mistakes) > _SHOWN else ""
        where = _place(mistakes[0]["loc"]) if mistakes else None
        return _problem_response(RequestProblem(422, "input", "; ".join(said) + more, where), request)

    @app.exception_handler(HTTPException)
    async def unknown(request: Request, error: HTTPException) -> Response:
        code = {404: "path", 405: "method"}.get(error.status_code, "request")
        hint = "see /openapi.json" if error.status_code in {404, 405} else None
        problem = RequestProblem(
            error.status_code, code, str(error.detail), hint=hint, headers=error.headers or {}
        )
        return _problem_response(problem, request)


def _problem_response(problem: RequestProblem, request: Request) -> Response:
    body = problem.body(request_id_of(request.scope))
    return Response(body, problem.status, dict(problem.headers), "application/json")


def _place(places: Sequence[int | str]) -> str:
    """Return a place in a body as a client would write it: molecules[3].

    Examples
    --------
    >>> _place(("body", "molecules", 3))
    'molecules[3]'
    """
    text = ""
    for place in places[1:]:
        text += f"[{place}]" if isinstance(place, int) else f".{place}" if text else place
    return text or str(places[0])
