"""A predictor's directory: written, read, and read as version 0.1 wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cytomol.artifact.directory import ModelDirectory, kind_of, load_model, write_model
from cytomol.assays.encoding import Encoding
from cytomol.assays.labels import Labels
from cytomol.checked import Checked
from cytomol.chem.featurize import FeatureOptions
from cytomol.errors import CytomolError, MissingDependencyError, ModelDirectoryError
from cytomol.files import atomic_directory
from cytomol.learners import learners
from cytomol.learners.blocks import BLOCKS
from cytomol.learners.former import restored_as
from cytomol.learners.matrix import under_prefix
from cytomol.learners.mixed import ByKind
from cytomol.learners.with_profiles import WithProfiles
from cytomol.predict.coherent import check_together
from cytomol.predict.evidence import Evidence
from cytomol.predict.molecule_features import MoleculeFeatures
from cytomol.predict.named_encoders import remembered, restored_encoder
from cytomol.predict.parts import PredictorParts
from cytomol.predict.profile_block import ProfileBlock
from cytomol.predict.uncertainty import Uncertainty

if TYPE_CHECKING:
    from cytomol.artifact.backbone import Backbone

__all__ = ["KIND", "load_predictor", "save_predictor"]

KIND = "predictor"
CARD = "README.md"
_UNCERTAINTY = "uncertainty.json"
_FORM = 2  # of config.json; 0.1 wrote none


def save_predictor(predictor: PredictorParts, path: Path, *, force: bool = False) -> Path:
    """Write a predictor's directory, whole or not at all."""
    from cytomol.predict.predictor_card import predictor_card  # loads what fitting is configured with

    features = predictor.features
    table, arrays = predictor.learner.state()
    tasks, units = predictor.encoding.state()
    certainty, held = ({}, {}) if predictor.uncertainty is None else predictor.uncertainty.state()
    texts = {_UNCERTAINTY: json.dumps(certainty, indent=2) + "\n"} if certainty else {}
    kept = {} if predictor.evidence is None else predictor.evidence.arrays(with_fingerprints=not held)
    backbone = features.backbone
    described = {"source": predictor.source, "unfrozen": predictor.unfrozen}
    with atomic_directory(path, force=force) as directory:
        if backbone is not None:
            from cytomol.artifact.backbone import BACKBONE_FOLDER, save_backbone

            save_backbone(backbone, directory / BACKBONE_FOLDER)
        write_model(
            directory,
            kind=KIND,
            config={
                "form": _FORM,
                "learner": predictor.name,
                "fitted": table,
                "tasks": tasks,
                "blocks": list(features.blocks),
                "feature_options": asdict(features.options),
                "counts_radius": features.counts_radius,
                "bits_radius": features.bits_radius,
                "profiles": {each.name: list(each.columns) for each in features.profiles},
                "encoders": [remembered(each) for each in features.encoders],
                "backbone": None if backbone is None else described,
                "finetune": predictor.options,
                "details": _without_seconds(predictor.details),
            },
            weights={},
            statistics={
                **{f"learner.{name}": array for name, array in arrays.items()},
                **{f"tasks.{name}": array for name, array in units.items()},
                "tasks.cutoffs": predictor.cutoffs,
                **{f"uncertainty.{name}": array for name, array in held.items()},
                **kept,
            },
            texts={**predictor.texts, **texts, CARD: predictor_card(predictor)},
        )
    return path


def _without_seconds(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was chosen and measured in fitting, but not how long it took: that names no model."""
    return {
        key: _without_seconds(value) if isinstance(value, Mapping) else value
        for key, value in table.items()
        if not key.endswith("seconds")
    }


def load_predictor(path: str | Path) -> PredictorParts:
    """Return what a predictor is made of, from its directory; those of 0.1 are understood.

    Raises
    ------
    ModelDirectoryError
        If it is absent, altered or holds something else, such as a backbone.
    """
    # 0.1 called a learner by name a "model" and heads a "predictor"
    saved = load_model(path, kind="model" if kind_of(path) == "model" else KIND)
    where = str(saved.path)
    try:
        parts = _parts(saved)
        check_together(parts)
    except MissingDependencyError:
        raise
    except CytomolError as error:
        raise ModelDirectoryError(error.what, where=error.where or where, hint=error.hint) from None
    except (KeyError, TypeError) as error:
        raise ModelDirectoryError(
            f"lacks what a predictor needs: {error}", where=str(saved.path / "config.json")
        ) from None
    except (ValueError, IndexError, AttributeError, ArithmeticError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelDirectoryError(f"its parts do not fit each other: {reason}", where=where) from None
    return parts


def _parts(saved: ModelDirectory) -> PredictorParts:
    config = saved.config
    if saved.kind == "model":
        return _named_of_01(saved)
    if "form" not in config:
        return _heads_of_01(saved)
    about = Checked(config, {"cutoffs": saved.statistics["tasks.cutoffs"]}, "config.json")
    if about.whole("form", 1) > _FORM:
        raise ModelDirectoryError(
            f"has form {config['form']}; this cytomol reads up to {_FORM}", hint="install a newer cytomol"
        )
    encoding = Encoding.restore(config["tasks"], under_prefix(saved.statistics, "tasks."))
    columns = len(encoding.columns)
    name = about.word("learner")
    backbone: dict[str, Any] = {}
    if config["backbone"] is not None:
        of_backbone = Checked(about.mapping("backbone"), {}, "config.json: backbone")
        backbone = {"source": of_backbone.word("source"), "unfrozen": of_backbone.flag("unfrozen")}
    radius = None if config["bits_radius"] is None else about.whole("bits_radius", 0, 64)
    return PredictorParts(
        name=name,
        learner=ByKind.restore(
            WithProfiles if config.get("profiles") else type(learners[restored_as(name)]()),
            encoding.kinds,
            about.mapping("fitted"),
            under_prefix(saved.statistics, "learner."),
        ),
        features=_features(saved, about.whole("counts_radius", 0, 64), radius),
        encoding=encoding,
        uncertainty=(uncertainty := _saved_uncertainty(saved)),
        evidence=_saved_evidence(saved, uncertainty),
        cutoffs=about.array("cutoffs", np.float64, str(columns), low=0, high=1),
        options=about.mapping("finetune"),
        details=about.mapping("details"),
        **backbone,
    )


def _features(saved: ModelDirectory, counts_radius: int, bits_radius: int | None) -> MoleculeFeatures:
    config = saved.config
    backbone = _backbone(saved) if config["backbone"] else None
    options = FeatureOptions.saved(config["feature_options"])
    named = Checked(config.get("profiles", {}), {}, "config.json: profiles")
    profiles = tuple(
        ProfileBlock(name, columns := named.words(name), np.zeros((0, len(columns)), np.float32))
        for name in named.table
    )
    encoders = tuple(restored_encoder(kept, where=str(saved.path)) for kept in config.get("encoders", ()))
    return MoleculeFeatures(
        Checked(config, {}, "config.json").words("blocks", BLOCKS),
        options,
        counts_radius,
        backbone,
        bits_radius,
        profiles,
        encoders,
    )


def _backbone(saved: ModelDirectory) -> Backbone:
    """Return the backbone inside a predictor's directory; one without needs no torch."""
    from cytomol.artifact.backbone import BACKBONE_FOLDER, Backbone

    return Backbone.load(saved.path / BACKBONE_FOLDER)


def _tasks_of_01(config: Mapping[str, Any]) -> Encoding:
    """Return the tasks, whose values the learners of 0.1 answered in the unit of the table."""
    labels = Labels.of_kind(config["tasks"], np.zeros((0, len(config["tasks"]))), config["task_type"])
    return Encoding.fit(labels, np.zeros(0, dtype=bool))


def _saved_uncertainty(saved: ModelDirectory) -> Uncertainty | None:
    if not (saved.path / _UNCERTAINTY).is_file():
        return None
    return Uncertainty.restore(saved.read_json(_UNCERTAINTY), under_prefix(saved.statistics, "uncertainty."))


def _saved_evidence(saved: ModelDirectory, uncertainty: Uncertainty | None) -> Evidence | None:
    """Return the molecules learnt from; their fingerprints are those of the domain, where there is one."""
    if "evidence.measured" not in saved.statistics:
        return None
    bits = None if uncertainty is None else uncertainty.domain.fingerprints
    return Evidence.restore(saved.statistics, bits)


def _named_of_01(saved: ModelDirectory) -> PredictorParts:
    """Return what is in the directory of a learner by name, of 0.1."""
    config = saved.config
    encoding = _tasks_of_01(config)
    arrays = {
        f"{config['task_type']}.{name}": a for name, a in under_prefix(saved.statistics, "model.").items()
    }
    learner = type(learners[restored_as(config["name"])]())
    return PredictorParts(
        name=config["name"],
        learner=ByKind.restore(learner, encoding.kinds, {config["task_type"]: config["model"]}, arrays),
        features=_features(saved, config["counts_radius"], None),
        encoding=encoding,
        uncertainty=_saved_uncertainty(saved),
        details=config["details"],
        source=(config["backbone"] or {}).get("source", ""),
    )


def _heads_of_01(saved: ModelDirectory) -> PredictorParts:
    """Return what is in the directory of heads, of 0.1."""
    from cytomol.learners.head.options import HeadOptions

    config = saved.config
    encoding = _tasks_of_01(config)
    options = {k: v for k, v in config["finetune"].items() if k in HeadOptions.model_fields}
    kind = config["task_type"]
    table = {"blocks": config["blocks"], "kind": kind, "inputs": config["inputs"], "options": options}
    arrays: dict[str, NDArray[Any]] = {name: tensor.numpy() for name, tensor in saved.weights.items()}
    arrays |= {f"scaling.{name}": a for name, a in under_prefix(saved.statistics, "features.").items()}
    arrays |= under_prefix(saved.statistics, "tasks.")  # center, scale, trained
    if "forest" in config:
        table["forest"] = config["forest"]
        arrays |= {f"forest.{name}": a for name, a in under_prefix(saved.statistics, "forest.").items()}
    return PredictorParts(
        name="head",
        learner=ByKind.restore(
            type(learners["head"]()),
            encoding.kinds,
            {kind: table},
            {f"{kind}.{name}": array for name, array in arrays.items()},
        ),
        features=_features(saved, options["counts_radius"], options["bits_radius"]),
        encoding=encoding,
        uncertainty=_saved_uncertainty(saved),
        options=config["finetune"],
        **(config["backbone"] or {}),
    )
