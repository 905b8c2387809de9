"""Jobs that predict and embed chunks of a long table, here or in other processes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cytomol.predict.answered_rows import embed_rows, predict_rows
from cytomol.predict.kept_profiles import KeptProfiles
from cytomol.predict.predictor import Predictor
from cytomol.tables.molecules import MoleculeTable
from cytomol.tables.row_answer import Answer
from cytomol.tables.row_errors import OnError

__all__ = ["EmbedJob", "PredictJob", "model_stamp"]

_Answers = Callable[[MoleculeTable, int], Answer]


@dataclass
class PredictJob:
    """Predicts chunks with the model of a directory.

    Attributes
    ----------
    model, encoder, plugin
        The directory, tables of vectors, modules to import.
    asked
        Further arguments of :func:`~cytomol.predict.answered_rows.predict_rows`.
    ready
        The predictor, where it is loaded already; it is not sent to other processes.
    profiles
        Measured profiles of some of the molecules.
    """

    model: str
    encoder: tuple[str, ...] = ()
    plugin: tuple[str, ...] = ()
    asked: dict[str, Any] = field(default_factory=dict)
    ready: Predictor | None = None
    profiles: tuple[KeptProfiles, ...] = ()

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs."""
        return {**self.__dict__, "ready": None}

    def predictor(self) -> Predictor:
        """Load the predictor, once."""
        from cytomol.registry import import_plugins

        if self.ready is None:
            import_plugins(self.plugin)
            self.ready = Predictor.load(self.model).with_encoders(self.encoder)
        return self.ready

    def open(self) -> _Answers:
        """Load the predictor, with the profiles of its molecules."""
        from cytomol.nn.allocator import give_back_memory

        predictor = self.predictor()

        def answer(table: MoleculeTable, first: int) -> Answer:
            asked = predictor
            if self.profiles:  # mapped for each chunk, so that memory holds its own alone
                asked = predictor.with_profiles([each.block() for each in self.profiles])
            found = predict_rows(asked, table, first=first, chunk=len(table), **self.asked)
            give_back_memory()
            return found

        return answer


@dataclass
class EmbedJob:
    """Embeds chunks with the backbone of a directory.

    Attributes
    ----------
    model
        The directory, or ``default``.
    keep, on_error, batch_size, workers
        See :func:`~cytomol.predict.answered_rows.embed_rows`.
    """

    model: str
    keep: list[str] | None = None
    on_error: OnError | None = None
    batch_size: int = 256
    workers: int | None = None

    def open(self) -> _Answers:
        """Load the backbone."""
        from cytomol.artifact.backbone import load_backbone
        from cytomol.nn.allocator import give_back_memory

        backbone = load_backbone(self.model)

        def answer(table: MoleculeTable, first: int) -> Answer:
            found = embed_rows(
                backbone,
                table,
                first=first,
                keep=self.keep,
                on_error=self.on_error,
                batch_size=self.batch_size,
                chunk=len(table),
                workers=self.workers,
            )
            give_back_memory()
            return found

        return answer


def model_stamp(model: str) -> str:
    """Return what tells a model directory from another one: the digest of its list of files."""
    from cytomol.artifact.shipped import model_place
    from cytomol.files import sha256

    manifest = model_place(model) / "manifest.json"
    return sha256(manifest) if manifest.is_file() else ""
