"""The naive server: one request is one call of the predictor, as a first service is written.

``python -m benchmarks.service.naive MODEL PORT``
"""

from __future__ import annotations

import sys
import threading
from typing import Any

import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from pydantic import BaseModel
from pydantic_core import to_json

from cytomol import Predictor
from cytomol.serve.predicted_rows import predicted_rows


class Body(BaseModel):
    """Molecules to predict."""

    molecules: list[str]


def create_naive(predictor: Predictor) -> FastAPI:
    """Return the server: a lock around the predictor, which is not made for several threads."""
    app, lock = FastAPI(), threading.Lock()

    @app.post("/v1/predict")
    def predict(body: Body) -> Response:
        with lock:
            found: Any = predictor.predict(
                body.molecules, workers=1, cache=None, uncertainty=True, evidence=True
            )
        return Response(to_json({"rows": predicted_rows(found)}), media_type="application/json")

    @app.get("/readyz")
    def ready() -> str:
        return "ok"

    return app


def main() -> None:
    """Serve a model's directory at a port of loopback."""
    predictor = Predictor.load(sys.argv[1])
    predictor.predict(["c1ccccc1CCO"], uncertainty=True, evidence=True)
    uvicorn.run(create_naive(predictor), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")


if __name__ == "__main__":
    main()
