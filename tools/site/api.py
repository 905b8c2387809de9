"""The pages of the public names, and a word where one is missing."""

from __future__ import annotations

import importlib
import inspect
import re
import types
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cytomol.registry import Registry

if TYPE_CHECKING:
    from sphinx.application import Sphinx

__all__ = ["PUBLIC", "names_of", "pages", "public_names"]

_ARRAY = re.compile(r"~?numpy\.ndarray\[tuple\[[^\]]*\], ~?numpy\.dtype\[([~\w.]+)\]\]")
_LONGEST_VALUE = 200  # that a page shows
# Subject -> modules whose __all__ is public; docs/api/index.md says what that means.
PUBLIC: dict[str, tuple[str, ...]] = {
    "Tables": (
        "cytomol.tables",
        "cytomol.assays.labels",
        "cytomol.assays.triage",
        "cytomol.assays.replicates",
    ),
    "Splits and scores": ("cytomol.assays.splits", "cytomol.assays.folds", "cytomol.assays.metrics"),
    "Molecules": (
        "cytomol.chem.featurize",
        "cytomol.chem.store",
        "cytomol.chem.parse",
        "cytomol.chem.keys",
        "cytomol.chem.fingerprints",
        "cytomol.chem.scaffolds",
        "cytomol.chem.similarity",
        "cytomol.chem.geometry",
        "cytomol.chem.encoders",
    ),
    "The corpus": (
        "cytomol.corpus",
        "cytomol.corpus.check",
        "cytomol.corpus.build_report",
        "cytomol.corpus.planted",
        "cytomol.corpus.profiles",
        "cytomol.corpus.readers",
        "cytomol.corpus.scaling",
    ),
    "The context": ("cytomol.context", "cytomol.context.criteria", "cytomol.context.edges"),
    "Methods and losses": (
        "cytomol.methods",
        "cytomol.methods.config",
        "cytomol.methods.infoalign",
        "cytomol.methods.chmr",
        "cytomol.methods.contrastive",
        "cytomol.methods.output",
        "cytomol.nn.batch",
        "cytomol.objectives.sufficiency",
        "cytomol.objectives.minimality",
        "cytomol.objectives.contrast",
        "cytomol.objectives.consistency",
        "cytomol.objectives.quantization",
        "cytomol.objectives.infoloob",
    ),
    "Backbones": (
        "cytomol.artifact.backbone",
        "cytomol.artifact.directory",
        "cytomol.artifact.shipped",
        "cytomol.training.pretrain",
    ),
    "Learners": ("cytomol.learners",),
    "Predictors": (
        "cytomol.predict.finetune",
        "cytomol.predict.config",
        "cytomol.predict.predictor",
        "cytomol.predict.predictions",
        "cytomol.predict.evidence",
        "cytomol.predict.uncertainty",
        "cytomol.predict.verdict.overall",
        "cytomol.predict.verdict.task",
        "cytomol.predict.verdict.measured",
    ),
    "What the cell knows": (
        "cytomol.cells.modality",
        "cytomol.cells.space",
        "cytomol.cells.match.match",
        "cytomol.cells.matcher.matcher_model",
        "cytomol.cells.impute.imputer",
        "cytomol.cells.tree.code_tree",
        "cytomol.cells.tree.hierarchy",
        "cytomol.cells.explain.explained_value",
        "cytomol.chem.occlusion.attribution",
    ),
    "Reports, service and tracking": (
        "cytomol.report.write",
        "cytomol.predict.record",
        "cytomol.serve.service_app",
        "cytomol.serve.served_models",
        "cytomol.serve.service_limits",
        "cytomol.tracking",
    ),
    "Errors and registries": ("cytomol.errors", "cytomol.registry", "cytomol.config"),
}


def names_of(module: str) -> list[str]:
    """Return the public names of a module: its ``__all__``."""
    return list(importlib.import_module(module).__all__)


def public_names() -> list[str]:
    """Return every public name with the module that one imports it from: "cytomol.Predictor"."""
    modules = ["cytomol", *(module for group in PUBLIC.values() for module in group)]
    return [f"{module}.{name}" for module in modules for name in names_of(module)]


def pages() -> dict[str, str]:
    """Return the generated pages, by place below docs/: one for the package's root, one for each module."""
    made = {"api/modules/cytomol.md": _page("cytomol")}
    for modules in PUBLIC.values():
        made.update({f"api/modules/{module}.md": _page(module) for module in modules})
    return {**made, "api/modules/index.md": _index()}


def _index() -> str:
    """Return the list of the modules, by subject."""
    lines = ["# Modules", "", "What one may import from the rooms of the package, by subject.", ""]
    for title, modules in PUBLIC.items():
        lines += [f"## {title}", "", "| module | what it is for |", "|---|---|"]
        lines += [f"| [`{module}`]({module}.md) | {_first_line(module)} |" for module in modules]
        lines += ["", "```{toctree}", ":hidden:", "", *modules, "```", ""]
    return "\n".join(lines)


def _first_line(module: str) -> str:
    return (importlib.import_module(module).__doc__ or "").partition("\n")[0].replace("|", "\\|")


def _page(module: str) -> str:
    """Return the page of a module: its docstring and its public names."""
    title = "Names of the package" if module == "cytomol" else module
    lines = [f"# {title}", "", "```{eval-rst}", f".. module:: {module}", ""]
    if module == "cytomol":
        lines += ["These are imported from the package itself: ``from cytomol import Predictor``.", ""]
    else:
        lines += [f".. automodule:: {module}", "   :noindex:", "   :no-members:", ""]
    for name in names_of(module):
        lines += [*_entry(module, name), ""]
    return "\n".join([*lines, "```", ""])


def _entry(module: str, name: str) -> list[str]:
    """Return the directive that documents a name, or a word on where it is documented."""
    thing: Any = getattr(importlib.import_module(module), name)
    if module != "cytomol" and (known := _name_of_package(thing)):
        return [f"- :py:obj:`~cytomol.{known}` is also a name of the package."]
    if isinstance(thing, type) and not isinstance(thing, types.GenericAlias):
        return [f".. autoclass:: {module}.{name}", "   :members:"]
    if inspect.isroutine(thing):
        return [f".. autofunction:: {module}.{name}"]
    return _data(module, name, thing)


def _data(module: str, name: str, thing: object) -> list[str]:
    """Return the directive of what is neither a class nor a function: what it is short for, holds or is."""
    data = [f".. py:data:: {name}", f"   :module: {module}"]
    if typing.get_origin(thing) is not None:  # Sphinx has no page for the name of a type
        return [*data, "", f"   Short for ``{str(thing).replace('typing.', '')}``."]
    if isinstance(thing, types.ModuleType):
        return [*data, "", f"   A module. {(thing.__doc__ or '').partition(chr(10))[0]}"]
    if isinstance(thing, Registry):
        return [*data, "", f"   What is registered by name, as {thing.kind}: {', '.join(thing)}."]
    if isinstance(thing, Path):
        return [*data, "", "   A place below the installed package."]
    value = repr(thing)
    return [*data, f"   :value: {value}"] if len(value) <= _LONGEST_VALUE else data


def _name_of_package(thing: object) -> str | None:
    """Return what the package's root calls a thing, if it does."""
    package = importlib.import_module("cytomol")
    return next((name for name in package.__all__ if getattr(package, name) is thing), None)


def skip_member(_app: Sphinx, _kind: str, name: str, _thing: object, skip: bool, _options: object) -> bool:
    """Leave out what other libraries put into our classes: scikit-learn's routing, pydantic's settings."""
    made_elsewhere = name.startswith("set_") and name.endswith("_request")
    return skip or made_elsewhere or name in {"model_config", "get_metadata_routing"}


def plain_signature(*event: Any) -> tuple[str | None, str | None]:
    """Write signatures as the source has them: ``NDArray`` by its name, ``...`` for a default made anew.

    Examples
    --------
    >>> plain_signature("(x: numpy.ndarray[tuple[typing.Any, ...], numpy.dtype[numpy.int32]])", None)
    ('(x: NDArray[numpy.int32])', None)
    """
    signature, answer = (text and _ARRAY.sub(r"NDArray[\1]", text) for text in event[-2:])
    return (signature and signature.replace("<factory>", "...")), answer


def complain_of_missing(app: Sphinx, error: Exception | None) -> None:
    """Warn of every public name that the site, as it was built, does not hold."""
    if error is not None or app.builder.format != "html":
        return
    from sphinx.util import logging

    there = set(app.env.get_domain("py").objects)
    for name in public_names():
        module, _, last = name.rpartition(".")
        known = _name_of_package(getattr(importlib.import_module(module), last))
        if name not in there and f"cytomol.{known}" not in there:
            logging.getLogger(__name__).warning("the public name %s is on no page", name)
