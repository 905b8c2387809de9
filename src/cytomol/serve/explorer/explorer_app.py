"""The explorer's page and what it asks, as an app on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import FastAPI, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles

from cytomol.errors import CytomolError, InputError
from cytomol.serve.explorer.explored_session import ExploredSession
from cytomol.serve.explorer.molecule_pictures import draw_molecule
from cytomol.serve.explorer.page_security import page_middleware

__all__ = ["STATIC", "explorer_app"]

STATIC = Path(__file__).parent / "static"
_LARGEST = 32 * 2**20  # bytes of an uploaded table
_LONGEST = 1000  # characters of a SMILES
_SIDE = Query(ge=40, le=800)

Smiles = Annotated[str, Query(max_length=_LONGEST)]


def explorer_app(session: ExploredSession) -> FastAPI:
    """Return the app that serves the page of a session.

    Parameters
    ----------
    session
        What the page asks.

    Examples
    --------
    >>> from cytomol.serve.explorer.explored_library import ExploredLibrary
    >>> from cytomol.serve.explorer.explored_model import ExploredModel
    >>> with ExploredModel.open("model") as model:
    ...     app = explorer_app(ExploredSession(model, ExploredLibrary.gather(None, None)))
    >>> app.title
    'cytomol explorer'
    """
    app = FastAPI(
        title="cytomol explorer",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=page_middleware(_LARGEST),
    )
    app.add_exception_handler(CytomolError, _told)
    _add_page(app)
    _add_molecule(app, session)
    _add_map(app, session)
    _add_tables(app, session)
    return app


async def _told(_: Request, error: Exception) -> JSONResponse:
    """Answer what the user can mend: what was found, and what to do."""
    assert isinstance(error, CytomolError)
    what = error.what if error.where is None else f"{error.where}: {error.what}"
    return JSONResponse({"error": what, "hint": error.hint}, 422)


def _add_page(app: FastAPI) -> None:
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(STATIC / "explorer.html")

    @app.get("/api/health")
    async def health() -> dict[str, str]:
        return {"state": "ready"}


def _add_molecule(app: FastAPI, session: ExploredSession) -> None:
    @app.get("/api/about")
    def about() -> dict[str, Any]:
        editor = (STATIC / "vendor" / "openchemlib.js").is_file()
        return {**session.about(), "editor": editor}

    @app.get("/api/molecule")
    def molecule(smiles: Smiles) -> dict[str, Any]:
        return session.molecule(smiles)

    @app.get("/api/cells")
    def cells(smiles: Smiles) -> dict[str, Any]:
        return session.cells(smiles)

    @app.get("/api/atoms")
    def atoms(smiles: Smiles, what: str) -> dict[str, Any]:
        return session.atoms(smiles, what)

    @app.get("/api/drawing")
    def drawing(
        smiles: Smiles,
        width: Annotated[int, _SIDE] = 260,
        height: Annotated[int, _SIDE] = 190,
        dark: bool = False,
    ) -> Response:
        svg = draw_molecule(smiles, width=width, height=height, dark=dark)
        return Response(svg, media_type="image/svg+xml", headers={"cache-control": "private, max-age=3600"})


def _add_map(app: FastAPI, session: ExploredSession) -> None:
    @app.get("/api/map")
    def state() -> dict[str, Any]:
        return session.map.status()

    @app.get("/api/map/points")
    def points() -> Response:
        """Return x and y of each molecule, float32, little-endian; NaN where it has no place."""
        return _floats(session.map.places)

    @app.get("/api/map/colour")
    def colour(name: str) -> Response:
        """Return what the map is coloured by, a number for each molecule."""
        if name not in session.library.numbers:
            raise InputError(f"the map knows no values {name[:80]!r}")
        return _floats(session.library.numbers[name])

    @app.get("/api/map/molecule")
    def molecule(row: int) -> dict[str, Any]:
        if not 0 <= row < len(session.library):
            raise InputError(f"the library has no molecule {row}")
        return session.library.about(row)

    @app.get("/api/tree")
    def tree(path: Annotated[str, Query(max_length=64)] = "") -> dict[str, Any]:
        return session.node(path)


def _add_tables(app: FastAPI, session: ExploredSession) -> None:
    @app.post("/api/tables")
    def upload(
        file: Annotated[UploadFile, File()], smiles_col: Annotated[str, Form(max_length=200)] = ""
    ) -> dict[str, Any]:
        return session.tables.add(
            file.filename or "table.csv", file.file.read(), smiles_col=smiles_col or None
        )

    @app.post("/api/tables/{table}/predictions")
    def start(table: str) -> dict[str, Any]:
        return session.tables.start(table)

    @app.get("/api/tables/{table}")
    def status(table: str) -> dict[str, Any]:
        return session.tables.status(table)

    @app.get("/api/tables/{table}/predictions.csv")
    def predictions(table: str) -> Response:
        headers = {"content-disposition": 'attachment; filename="predictions.csv"'}
        return Response(session.tables.predictions(table), media_type="text/csv", headers=headers)


def _floats(values: Any) -> Response:
    return Response(
        np.ascontiguousarray(values, dtype="<f4").tobytes(), media_type="application/octet-stream"
    )
