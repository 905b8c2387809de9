"""The models that a benchmark can run: which there are, what each reads, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cytomol.errors import ConfigError
from cytomol.evaluate.peers import peers
from cytomol.evaluate.rows import Job
from cytomol.registry import import_plugins

__all__ = [
    "check_encoders",
    "check_models",
    "default_models",
    "known_models",
    "passed_on_the_way",
    "reads_encoders",
]


def known_models(plugins: Sequence[str] = ()) -> list[str]:
    """Return the names of models that can be run."""
    import_plugins(plugins)
    from cytomol.learners import learners

    return learners.names()


def default_models(plugins: Sequence[str] = (), *, backbone: str | None = None) -> list[str]:
    """Return the names of the models that can be run, with or without a backbone."""
    return [name for name in known_models(plugins) if backbone is not None or not _needs_backbone(name)]


def _needs_backbone(name: str) -> bool:
    from cytomol.learners import learners

    model = learners[name]()
    return "embedding" in model.blocks and not model.optional_embedding


def reads_encoders(name: str) -> bool:
    """Return whether a model reads the vectors of other encoders."""
    from cytomol.learners import learners

    return name not in peers and learners[name]().reads_encoders


def passed_on_the_way(job: Job, queue: Sequence[Job]) -> list[Job]:
    """Return the queued jobs whose models are fitted on the way to a job's model."""
    from cytomol.learners import learners

    names = () if job.model in peers else learners[job.model]().passes
    return [other for name in names if (other := replace(job, model=name)) in queue]


def check_models(names: Sequence[str], plugins: Sequence[str] = (), *, backbone: str | None = None) -> None:
    """Refuse a name that is neither a model nor a peer that is installed.

    Raises
    ------
    ConfigError
        With the known names.
    MissingDependencyError
        If a peer is not installed, with the command that installs it.
    """
    known = known_models(plugins)
    hint = f"known: {', '.join([*known, *peers])}"
    if not names:
        raise ConfigError("no model is named", hint=hint)
    for name in names:
        if name in peers:
            peers[name]().require()
        elif name not in known:
            raise ConfigError(f"unknown model {name!r}", hint=hint)
        elif backbone is None and _needs_backbone(name):
            raise ConfigError(f"model {name!r} reads the embedding of a backbone", hint="give --backbone DIR")


def check_encoders(models: Sequence[str], named: Sequence[str], say: Callable[[str], None]) -> None:
    """Open encoders once, before any job does, and say which labels each may have seen.

    Raises
    ------
    ConfigError
        If one is unknown, or no model reads vectors.
    """
    if not named:
        return
    from cytomol.predict.named_encoders import open_encoders

    without = [name for name in models if not reads_encoders(name)]
    if len(without) == len(models):
        raise ConfigError(
            f"of the models {', '.join(without)} none reads an encoder's vectors",
            where="encoder",
            hint="leave --encoder out, or name other models",
        )
    for encoder in open_encoders(named):
        say(f"what it may have seen: {encoder.pretraining.said(encoder.name)}")
    if without:
        say(f"without the encoder, since they read no vectors: {', '.join(without)}")
