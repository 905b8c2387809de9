"""The models of a service: loaded once, verified, known by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from cytomol.errors import ConfigError, InputError

if TYPE_CHECKING:
    from cytomol.artifact.backbone import Backbone
    from cytomol.cells.impute.imputer import Imputer
    from cytomol.cells.space import Space
    from cytomol.predict.predictor import Predictor

__all__ = ["ServedModel", "ServedModels", "Verb"]

Verb = Literal["predict", "embed", "match", "impute", "explain"]


@dataclass(frozen=True)
class ServedModel:
    """One model of a service.

    Attributes
    ----------
    name
        What requests call it.
    kind
        "predictor", "backbone" or "matcher".
    predictor
        Where it is one.
    backbone
        A backbone, or that of the predictor where it reads an embedding.
    matcher
        Where it is one: the space in which it compares.
    """

    name: str
    kind: Literal["predictor", "backbone", "matcher"]
    predictor: Predictor | None = None
    backbone: Backbone | None = None
    matcher: Space | None = None

    @classmethod
    def load(cls, name: str, path: str | Path, *, atoms: int | None = None) -> Self:
        """Load and verify a model directory.

        Parameters
        ----------
        name
            What requests will call it.
        path
            Directory that ``finetune``, ``pretrain`` or ``matcher`` made; the word ``default`` is the
            backbone that comes with cytomol.
        atoms
            Atoms beyond which molecules are refused, where the model itself allows more.

        Raises
        ------
        ModelDirectoryError
            If it is absent, altered or holds something else.
        """
        from cytomol.artifact.backbone import load_backbone
        from cytomol.artifact.directory import kind_of
        from cytomol.artifact.shipped import model_place

        place = model_place(path)
        kind = kind_of(place)
        if kind in {"predictor", "model"}:
            from cytomol.predict.predictor import Predictor

            predictor = Predictor.load(place)
            features, backbone = predictor.features, predictor.features.backbone
            for encoder in features.encoders:
                encoder.check()  # a table of vectors is not in the model, so that it cannot be served
            if atoms is not None:
                few = replace(features.options, max_atoms=min(atoms, features.options.max_atoms))
                predictor = replace(predictor, features=replace(features, options=few))
            backbone = None if backbone is None else _with_few_atoms(backbone, atoms)
            return cls(name, "predictor", predictor=predictor, backbone=backbone)
        if kind == "matcher":
            from cytomol.cells.matcher.open_space import open_space

            return cls(name, "matcher", matcher=open_space(place))
        return cls(name, "backbone", backbone=_with_few_atoms(load_backbone(place), atoms))

    @property
    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks; () where it predicts none."""
        return () if self.predictor is None else self.predictor.names

    @property
    def modalities(self) -> dict[str, tuple[str, ...]]:
        """Features of each modality that it knows, by name."""
        if self.matcher is not None:
            return {self.matcher.modality.name: self.matcher.modality.columns}
        known = {} if self.backbone is None else self.backbone.modalities
        return {name: tuple(about["columns"]) for name, about in known.items()}

    @property
    def imputed(self) -> tuple[str, ...]:
        """Modalities whose profiles it imputes."""
        backbone = self.backbone
        if backbone is None:
            return ()
        return tuple(name for name in backbone.method.decoded if name in backbone.typical)

    @cached_property
    def verbs(self) -> tuple[Verb, ...]:
        """What it can be asked, in a fixed order."""
        can: dict[Verb, bool] = {
            "predict": self.predictor is not None,
            "embed": self.backbone is not None,
            "match": bool(self.modalities),
            "impute": bool(self.imputed),
            "explain": self.predictor is not None or bool(self.imputed),
        }
        return tuple(verb for verb, there in can.items() if there)

    def space(self, modality: str | None = None) -> Space:
        """Return the space in which molecules and profiles of a modality are compared.

        Raises
        ------
        InputError, ConfigError
            If it has none.
        """
        from cytomol.cells.modality import trained_modality
        from cytomol.cells.space import CellSpace

        if self.matcher is not None:
            if modality not in {None, self.matcher.modality.name}:
                raise InputError(
                    f"the matcher was not fitted on {modality!r}",
                    hint=f"it knows {self.matcher.modality.name}",
                )
            return self.matcher
        if self.backbone is None:
            raise InputError(f"the model {self.name!r} knows no cell profiles")
        return CellSpace.of(trained_modality(self.backbone, modality))

    def imputer(self, modalities: Sequence[str] | None = None, *, coverage: float = 0.9) -> Imputer:
        """Return what imputes profiles of some modalities; None for all.

        Raises
        ------
        InputError, ConfigError
            If it imputes none, or not these.
        """
        from cytomol.cells.impute.imputer import Imputer

        if self.backbone is None:
            raise InputError(f"the model {self.name!r} knows no cell profiles")
        return Imputer.of(self.backbone, modalities, coverage=coverage)


class ServedModels(Mapping[str, ServedModel]):
    """The models of a service by name.

    Parameters
    ----------
    models
        In the order in which they were named.

    Examples
    --------
    >>> ServedModels([ServedModel("one", "backbone")]).chosen(None).name
    'one'
    """

    def __init__(self, models: Sequence[ServedModel]) -> None:
        self._models = {model.name: model for model in models}
        if len(self._models) < len(models):
            names = [model.name for model in models]
            twice = next(name for name in names if names.count(name) > 1)
            raise ConfigError(f"two models are called {twice!r}", hint="name them: NAME=DIR")

    @classmethod
    def load(cls, sources: Sequence[str], *, atoms: int | None = None) -> Self:
        """Load models named by their directories (``DIR``) or otherwise (``NAME=DIR``).

        Raises
        ------
        ConfigError
            If two have one name.
        ModelDirectoryError
            If one cannot be loaded.
        """
        named = [_named(source) for source in sources]
        cls([ServedModel(name, "backbone") for name, _ in named])  # two of one name, before any is loaded
        return cls([ServedModel.load(name, path, atoms=atoms) for name, path in named])

    def __getitem__(self, name: str) -> ServedModel:
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def chosen(self, name: str | None, verb: Verb | None = None) -> ServedModel:
        """Return the model that is asked for: by name, or the only one that can be asked this.

        Raises
        ------
        InputError
            If there is none, or several and none is named.
        """
        able = [model.name for model in self.values() if verb is None or verb in model.verbs]
        if name is None:
            if len(able) == 1:
                return self[able[0]]
            what = "to choose from" if verb is None else f"that can {verb}"
            some = f"name one: {', '.join(able)}" if able else f"there are {', '.join(self)}"
            raise InputError(f"{len(able)} models {what}", where="model", hint=some)
        if name not in self:
            raise InputError(f"no model {name[:80]!r}", where="model", hint=f"there are {', '.join(self)}")
        if name not in able:
            raise InputError(
                f"the model {name!r} cannot {verb}",
                where="model",
                hint=f"it can {', '.join(self[name].verbs) or 'nothing'}",
            )
        return self[name]


def _with_few_atoms(backbone: Backbone, atoms: int | None) -> Backbone:
    """Return the backbone, which now reads no molecules of more atoms."""
    if atoms is None or backbone.feature_options.max_atoms <= atoms:
        return backbone
    return replace(backbone, config=backbone.config.updated(max_atoms=atoms))


def _named(source: str) -> tuple[str, str]:
    """Return name and directory of ``NAME=DIR`` or ``DIR``; a directory that has an = in its name is one."""
    name, sign, path = source.partition("=")
    if sign and name and not Path(source).is_dir():
        return name, path
    return Path(source).resolve().name, source
