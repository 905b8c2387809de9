"""A service run by uvicorn: it starts when its models can answer, and ends when it has answered."""

from __future__ import annotations

import logging.config
import signal
from typing import TYPE_CHECKING

from cytomol.errors import ConfigError, CytomolError
from cytomol.serve.access import TOKEN_VARIABLE, is_loopback

if TYPE_CHECKING:
    from fastapi import FastAPI

    from cytomol.serve.feature_pool import FeaturePool
    from cytomol.serve.served_models import ServedModels
    from cytomol.serve.service_limits import ServiceLimits

__all__ = ["require_token", "run_service", "warm_up"]

_GRACE = 5.0  # seconds beyond a request's own time that stopping may take
_SOME = ["c1ccccc1CCO", "CCO", "CCN", "CCC", "CCCC", "CCCN"]
_CLIENTS = 2000  # connections at a time; more are turned away


def require_token(host: str, token: str | None) -> None:
    """Refuse to open a service to other machines without a token.

    Raises
    ------
    ConfigError
        If the host is not this machine alone and there is no token.
    """
    if token is None and not is_loopback(host):
        raise ConfigError(
            f"{host} can be reached from other machines, and there is no token",
            where="--host",
            hint=f"set {TOKEN_VARIABLE} or --token-file, or leave --host out",
        )


def warm_up(models: ServedModels, pool: FeaturePool) -> None:
    """Ask every model each of its verbs once, so that no client waits for what is loaded or compiled then.

    Raises
    ------
    CytomolError
        If a model cannot answer.
    """
    from cytomol.learners.loops import expect_more
    from cytomol.serve.questions import (
        EmbedQuestion,
        ExplainQuestion,
        ImputeQuestion,
        PlaceQuestion,
        PredictQuestion,
        Question,
    )

    expect_more()
    for model in models.values():
        predictor = model.predictor
        certain = predictor is not None and predictor.uncertainty is not None
        known = predictor is not None and predictor.evidence is not None
        modality = next(iter(model.modalities), None)
        questions: dict[str, Question] = {
            "predict": PredictQuestion(model.name, certain, 0.9, known),
            "embed": EmbedQuestion(model.name),
            "match": PlaceQuestion(model.name, modality),
            "impute": ImputeQuestion(model.name),
            "explain": ExplainQuestion(
                model.name, model.tasks[:1], None if model.tasks else next(iter(model.imputed), None)
            ),
        }
        for verb in model.verbs:
            question = questions[verb]
            error = question.answer(model, _SOME, pool)[0]["error"]
            if error:
                raise CytomolError(f"{verb} does not answer for phenylethanol: {error}", where=model.name)


def run_service(
    app: FastAPI,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    limits: ServiceLimits,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then answer what was begun.

    Parameters
    ----------
    app
        See :func:`~cytomol.serve.service_app.create_service`.
    host, port
        Where it listens; port 0 takes a free one, which the log names.
    limits
        Of the service: stopping waits as long as a request may take.

    Raises
    ------
    CytomolError
        If the port is taken, or belongs to others.
    """
    import socket

    import uvicorn

    from cytomol.serve.service_log import log, logging_config

    logging.config.dictConfig(logging_config())
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        limit_concurrency=_CLIENTS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=round(limits.timeout + _GRACE),
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host.strip("[]"), port))
        except OSError as error:
            raise CytomolError(
                f"cannot listen at {host}:{port}: {error.strerror or error}", hint="choose another --port"
            ) from None
        name = f"[{host.strip('[]')}]" if family == socket.AF_INET6 else host
        log("listening", url=f"http://{name}:{listener.getsockname()[1]}")
        # uvicorn gives the signal that stopped it to whoever had it before, when all is answered
        before = {each: signal.signal(each, _heard) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def _heard(number: int, _: object) -> None:
    """Take note of a signal that has stopped the service."""
    from cytomol.serve.service_log import log

    log("signal", name=signal.Signals(number).name)
