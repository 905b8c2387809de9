"""All that one run of the explorer holds: model, library, map, tree, measured profiles, uploaded tables."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Self

import numpy as np

from cytomol.chem.occlusion.drawing import draw_attribution, legend_of
from cytomol.errors import InputError
from cytomol.predict.predictor import Predictor
from cytomol.serve.explorer.explored_library import ExploredLibrary
from cytomol.serve.explorer.explored_map import ExploredMap
from cytomol.serve.explorer.explored_model import ExploredModel
from cytomol.serve.explorer.explored_tree import ExploredTree
from cytomol.serve.explorer.grown_tree import GrownTree
from cytomol.serve.explorer.measured_beside import MeasuredBeside
from cytomol.serve.explorer.uploaded_tables import UploadedTables

__all__ = ["ExploredSession"]

_EXAMPLES = 4
_LONG = 60  # characters of an example, at most
_RANGE = (0.01, 0.99)  # of the measured values, over which an interval is drawn


class ExploredSession:
    """What the page asks.

    Parameters
    ----------
    model
        The model.
    library
        Molecules among which new ones are shown.
    hierarchy
        Directory that ``cytomol hierarchy`` made.
    corpus
        Corpus with measured profiles.
    workers
        Processes that read the library; None chooses.

    Examples
    --------
    >>> with ExploredModel.open("model") as model:
    ...     session = ExploredSession(model, ExploredLibrary.gather(None, None))
    ...     session.molecule("CCO")["error"], session.about()["kind"]
    (None, 'backbone')
    """

    def __init__(
        self,
        model: ExploredModel,
        library: ExploredLibrary,
        *,
        hierarchy: str | Path | None = None,
        corpus: str | Path | None = None,
        workers: int | None = None,
    ) -> None:
        self.model, self.library = model, library
        self.map = ExploredMap(library, model.served.predictor, model.reading, workers=workers)
        self._given = None if hierarchy is None else ExploredTree.read(hierarchy)
        self.grown: GrownTree | None = None
        if self._given is not None and hierarchy is not None:
            model.tree = self._given.tree_of(hierarchy, model.served.backbone)
        elif len(library) and (own := GrownTree.tree_of(model.served.backbone)) is not None:
            model.tree, self.grown = own, GrownTree(model, library)
        self.measured = MeasuredBeside(model.served, corpus)
        self.tables = UploadedTables(model)

    @classmethod
    def open(
        cls,
        model: str | Path,
        *,
        library: str | Path | None = None,
        smiles_col: str | None = None,
        hierarchy: str | Path | None = None,
        corpus: str | Path | None = None,
        workers: int | None = None,
    ) -> Self:
        """Load the model, read the library and the tree, and begin what is computed in the background.

        Raises
        ------
        ModelDirectoryError, InputError
            If one of them cannot be read.
        """
        opened = ExploredModel.open(model)
        found = ExploredLibrary.read(opened.served.predictor, library, smiles_col=smiles_col)
        session = cls(opened, found, hierarchy=hierarchy, corpus=corpus, workers=workers)
        session.molecule("CCO")  # the first answer loads what the others need
        if opened.served.backbone is not None:
            session.cells("CCO")
        session.map.start()
        session.measured.start()
        if session.grown is not None:
            session.grown.start()
        return session

    @property
    def tree(self) -> ExploredTree | None:
        """The tree to walk; None where there is none, or none yet."""
        if self._given is None and self.grown is not None:
            return self.grown.tree
        return self._given

    def node(self, path: str) -> dict[str, Any]:
        """Return a node of the tree, or how far the tree is.

        Raises
        ------
        InputError
            If there is no tree, or no such node.
        """
        if self.tree is not None:
            return self.tree.node(path)
        if self.grown is None:
            raise InputError("there is no tree", hint="start with --hierarchy DIR, made by cytomol hierarchy")
        return self.grown.status()

    def about(self) -> dict[str, Any]:
        """Return what the page says of the model before anything is asked."""
        served = self.model.served
        return {
            "model": served.name,
            "kind": served.kind,
            "backbone": None if served.backbone is None else served.backbone.name,
            "tasks": [] if served.predictor is None else _tasks(served.predictor),
            "notes": [] if served.predictor is None else served.predictor.notes(),
            "explained": list(self.model.explained),
            "imputed": list(served.imputed),
            "tree": self._given is not None or self.grown is not None,
            "places_in_tree": self.model.tree is not None,
            "learnt": self.library.learnt,
            "library": len(self.library) - self.library.learnt,
            "examples": self._examples(),
        }

    def molecule(self, smiles: str) -> dict[str, Any]:
        """Return what is answered at once: tasks, nearest molecules, place on the map."""
        started = time.perf_counter()
        bits = self.model.fingerprints([smiles])[0]
        if self.model.served.predictor is not None:
            answer = dict(self.model.tasks(smiles))
        else:
            answer = {"error": None if bits.any() else self._why(smiles)}
        if not answer["error"]:
            answer["library"] = self.map.nearest(bits)
            answer["place"] = self.map.place(bits)
        answer["smiles"] = smiles
        answer["milliseconds"] = round(1000 * (time.perf_counter() - started))
        return answer

    def cells(self, smiles: str) -> dict[str, Any]:
        """Return imputed profiles beside measured ones, and the molecule's path in the tree.

        Raises
        ------
        InputError
            If it is no molecule, or the model holds no backbone.
        """
        if self.model.served.backbone is None:
            raise InputError("the model holds no backbone")
        answer = self.model.cells(smiles)
        bits = self.model.fingerprints([smiles])[0]
        profiles = self.measured.profiles(answer, bits)
        return {"profiles": profiles, "measured": self.measured.state, "path": answer.path}

    def atoms(self, smiles: str, what: str) -> dict[str, Any]:
        """Return a drawing of the atoms that an answer rests on, and its legend."""
        found = self.model.atoms(smiles, what)
        assert found.mol is not None
        drawings = [
            {"name": one.name, "svg": draw_attribution(found.mol, one), "legend": legend_of(one)}
            for one in found.attributions
        ]
        return {"drawings": drawings}

    def close(self) -> None:
        """Give up what is computed, and stop the model's thread."""
        self.tables.close()
        self.model.close()

    def _why(self, smiles: str) -> str:
        """Return why a text is no molecule that the model reads."""
        from cytomol.chem.featurize import featurize

        return (
            featurize([smiles], self.model.reading, workers=1, cache=None).errors[0] or "has no fingerprint"
        )

    def _examples(self) -> list[str]:
        """Return some molecules to begin with."""
        from cytomol.chem.parse import parse_smiles

        rows = np.linspace(0, max(len(self.library) - 1, 0), 2 * _EXAMPLES).astype(int)
        texts = [self.library.smiles[row] for row in dict.fromkeys(rows.tolist()) if len(self.library)]
        valid = [text for text in texts if 0 < len(text) < _LONG and parse_smiles(text).mol is not None]
        return valid[:_EXAMPLES] or ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C"]


def _tasks(predictor: Predictor) -> list[dict[str, Any]]:
    """Return each task with the range of what was measured."""
    found: list[dict[str, Any]] = []
    for at, task in enumerate(predictor.tasks):
        about: dict[str, Any] = {"name": task.name, "kind": task.kind, "classes": list(task.classes)}
        if predictor.evidence is not None:
            known = predictor.evidence.measured[:, at]
            known = known[np.isfinite(known)]
            about["measured"] = len(known)
            if len(known) and task.kind == "regression":
                low, middle, high = np.quantile(known, [_RANGE[0], 0.5, _RANGE[1]]).tolist()
                about |= {"low": low, "median": middle, "high": high}
            elif len(known) and task.kind == "binary":
                about["share"] = float((known == 1).mean())
        found.append(about)
    return found
