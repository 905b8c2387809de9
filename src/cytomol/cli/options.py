"""Command-line options generated from configuration models, so that they are written down once."""

from __future__ import annotations

import difflib
import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, Union

import click

from cytomol.config import MACHINE, Config, read_options
from cytomol.errors import ConfigError

__all__ = ["Chosen", "ConfigCommand", "GroupedCommand", "assignments", "options_from"]

C = TypeVar("C", bound=Config)
Function = Callable[..., Any]
Models = Mapping[str, type[Config]]


@dataclass(frozen=True)
class Chosen:
    """What the user chose: options on the command line, and those of a configuration file.

    Attributes
    ----------
    flags
        Options given on the command line, by field name; they override the file.
    file
        Options of the file.
    where
        The file's name, or None.
    models
        The configuration models that the options came from, by name.
    saved
        Whether the file was written beside a result, maybe by an earlier version.
    """

    flags: dict[str, Any] = field(default_factory=dict)
    file: dict[str, Any] = field(default_factory=dict)
    where: str | None = None
    models: Models = field(default_factory=dict)
    saved: bool = False

    def build(self, model: type[C], base: C | None = None) -> C:
        """Return the configuration: the model's defaults (or ``base``), then the file, then the flags.

        Raises
        ------
        ConfigError
            If an option is unknown, of another model, in the wrong table of the file, or out of range; the
            option is named.
        """
        for name in self.flags:
            if name not in model.model_fields:
                owners = [owner for owner, other in self.models.items() if name in other.model_fields]
                here = [owner for owner, other in self.models.items() if other is model]
                raise ConfigError(
                    f"{_flag(name)} is an option of {', '.join(owners)}, not of {', '.join(here)}",
                    hint="leave it out",
                )
        start = {} if base is None else base.model_dump()
        file = model.flat(model.without_retired(self.file) if self.saved else self.file, where=self.where)
        if file:
            model.build({**start, **file}, where=self.where)
        return model.build({**start, **file, **self.flags})


def options_from(model: type[Config]) -> Callable[[Function], Function]:
    """Return a decorator that adds ``--config`` and one option per field of ``model`` to a command.

    It stands below ``@click.command(cls=GroupedCommand)``. The function receives the keyword ``chosen``
    (a :class:`Chosen`); ``chosen.build(model)`` gives the configuration.

    Parameters
    ----------
    model
        The configuration; each field needs a description. Underscores become dashes, tuples are
        comma-separated, booleans are ``--x/--no-x``.
    """
    models = {model.__name__: model}

    def decorate(function: Function) -> Function:
        generated = _options(models)

        @functools.wraps(function)
        def wrapper(**params: Any) -> Any:
            return function(**_collect(params, models))

        params = getattr(function, "__click_params__", [])
        # Click keeps parameters in reverse, as decorators are applied from below.
        wrapper.__click_params__ = [*reversed(generated), *params]  # type: ignore[attr-defined]
        return wrapper

    return decorate


class GroupedOption(click.Option):
    """Option of a configuration, which knows its group."""

    def __init__(self, *args: Any, group: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group = group


class GroupedCommand(click.Command):
    """Command whose help lists the options of a configuration under the names of their groups."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the command's own options, then those of each group."""
        sections: dict[str, list[tuple[str, str]]] = {"Options": []}
        for parameter in self.get_params(ctx):
            record = None if isinstance(parameter, click.Argument) else parameter.get_help_record(ctx)
            if record is not None:
                group = parameter.group if isinstance(parameter, GroupedOption) else Config.group
                title = "Options" if group == Config.group else f"Options: {group}"
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


class ConfigCommand(GroupedCommand):
    """Command with options generated when they are first needed.

    As :func:`options_from`, for models whose modules are too heavy to load for ``cytomol --help``, and
    for commands that choose among several models: the union of their options is offered.

    Parameters
    ----------
    models
        Called once; returns the models by name.
    """

    def __init__(self, *args: Any, models: Callable[[], Models], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._load = functools.cache(models)
        self._generated: list[click.Option] | None = None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's own parameters, then the generated ones, then help."""
        if self._generated is None:
            self._generated = _options(self._load())
            self.params = [*self.params, *self._generated]
        return super().get_params(ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the function with the generated options gathered in ``chosen``."""
        ctx.params = _collect(ctx.params, self._load())
        return super().invoke(ctx)


def assignments(texts: Sequence[str], models: Models, *, option: str = "--set") -> dict[str, dict[str, Any]]:
    """Read ``option=value`` texts; return the options of each model, by its name.

    Parameters
    ----------
    texts
        ``option=value`` goes to all models that have the option, ``model.option=value`` to one. Tuples are
        comma-separated, booleans are true or false.
    models
        The configuration models by name.
    option
        Name of the command's option, for messages.

    Raises
    ------
    ConfigError
        If a text has no ``=``, no model has such an option, or the value is of the wrong kind.
    """
    chosen: dict[str, dict[str, Any]] = {name: {} for name in models}
    for text in texts:
        left, equals, value = text.partition("=")
        owner, dot, name = left.strip().rpartition(".")
        if not equals:
            raise ConfigError(f"{text!r} sets nothing", where=option, hint="write option=value")
        owners = [owner] if dot else list(models)
        owners = [o for o in owners if o in models and name in models[o].model_fields]
        if not owners:
            known = list(dict.fromkeys(field for model in models.values() for field in model.model_fields))
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ConfigError(
                f"no option {left.strip()!r} of {', '.join(models)}",
                where=option,
                hint=f"{hint}check its name",
            )
        for one in owners:
            kind = _kind(models[one].model_fields[name].annotation)
            try:
                chosen[one][name] = kind.convert(value.strip(), None, None)
            except click.BadParameter as error:
                raise ConfigError(error.message, where=f"{option} {text}") from None
    return chosen


def _collect(params: dict[str, Any], models: Models) -> dict[str, Any]:
    """Gather the generated options of ``params`` into one :class:`Chosen`."""
    names = {name for model in models.values() for name in model.model_fields}
    flags = {name: params[name] for name in params if name in names and params[name] is not None}
    rest = {name: value for name, value in params.items() if name not in names and name != "config_file"}
    path: str | None = params["config_file"]
    options = {} if path is None else read_options(path)
    if saved := isinstance(options.get("config"), dict):  # the config.json of a model directory
        options = options["config"]
    return {**rest, "chosen": Chosen(flags, options, path, models, saved=saved)}


def _options(models: Models) -> list[click.Option]:
    """Return ``--config`` and one option for each field of any of the models."""
    options = [
        click.Option(
            ["--config", "config_file"],
            metavar="FILE",
            help="TOML, YAML or JSON file of options, flat or in a table for each group; options given here "
            "override it.",
        )
    ]
    for name, group in _by_group(models).items():
        fields = {
            owner: model.model_fields[name] for owner, model in models.items() if name in model.model_fields
        }
        first = next(iter(fields.values()))
        kind, flag = _kind(first.annotation), _flag(name)
        defaults = {owner: f.get_default(call_default_factory=True) for owner, f in fields.items()}
        owners = f"[{', '.join(fields)} only] " if len(fields) < len(models) else ""
        option = GroupedOption(
            [f"{flag}/--no-{flag[2:]}" if kind is click.BOOL else flag, name],
            type=None if kind is click.BOOL else kind,
            default=None,
            help=f"{owners}{first.description or ''}  [default: {_defaults(defaults)}]",
            group=group,
        )
        options.append(option)
    return options


def _by_group(models: Models) -> dict[str, str]:
    """Return the group of each option of any of the models, group by group, the machine's last."""
    groups: dict[str, dict[str, None]] = {}
    for model in models.values():
        for group, names in model.groups().items():
            groups.setdefault(group, {}).update(dict.fromkeys(names))
    groups[MACHINE] = groups.pop(MACHINE, {})
    return {name: group for group, names in groups.items() for name in names}


def _defaults(values: dict[str, Any]) -> str:
    """Return the default as the user would type it; where models differ, each with its name."""
    shown = {owner: _show(value) for owner, value in values.items()}
    if len(set(shown.values())) == 1:
        return next(iter(shown.values()))
    return "; ".join(f"{owner}: {text}" for owner, text in shown.items())


def _show(value: Any) -> str:
    match value:
        case None:
            return "not set"
        case bool():
            return "on" if value else "off"
        case tuple():
            return ",".join(map(str, value)) or "none"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _kind(annotation: Any) -> click.ParamType[Any]:
    """Return the click type of a field's annotation; text where several types are allowed."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in {Union, types.UnionType}:
        present = [argument for argument in arguments if argument is not type(None)]
        return _kind(present[0]) if len(present) == 1 else click.STRING
    if origin is Literal:
        return click.Choice([str(argument) for argument in arguments])
    if origin is tuple:
        return _Several(_kind(arguments[0]))
    return {bool: click.BOOL, int: click.INT, float: click.FLOAT}.get(annotation, click.STRING)


class _Several(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.4 on
    """Values separated by commas; an empty text is an empty list."""

    name = "a,b,…"

    def __init__(self, part: click.ParamType[Any]) -> None:
        self.part = part

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, tuple | list):
            return tuple(value)
        parts = [text.strip() for text in str(value).split(",")]
        return tuple(self.part.convert(text, param, ctx) for text in parts if text)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
