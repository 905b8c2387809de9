"""Frozen configuration models: one per method, read from TOML, YAML or JSON, written back as JSON."""

from __future__ import annotations

import copy
import inspect
import json
import reprlib
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cytomol.errors import ConfigError
from cytomol.files import require_file

__all__ = ["MACHINE", "Config", "defaults", "read_options"]

_LONGEST = {".toml": 2**18, ".yaml": 2**16, ".yml": 2**16, ".json": 2**24}  # bytes, that are read in seconds
_DEEPEST = 20  # tables and lists within each other
_MOST = 2**20  # values, an alias counted wherever it stands
_LARGEST = 10**20
_DOTS = 400  # in a line of TOML: a dotted name takes the square of its parts

MACHINE = "machine"
"""The group of options that say how a machine computes and change no result (but for rounding)."""

_TEXT = "names are text"
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200
_SHORT.maxlevel = 2  # aliases of YAML nest a table without end in a few bytes


class Config(BaseModel):
    """Base of every configuration: frozen, and an unknown option is an error.

    A configuration is put together from groups by inheritance: each group is a class that declares its
    options and names itself in ``group``. The options stay flat, and each is declared in one place.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: ClassVar[str] = "options"
    retired: ClassVar[frozenset[str]] = frozenset()  # offered by an earlier version, to no effect

    @classmethod
    def groups(cls) -> dict[str, tuple[str, ...]]:
        """Return the names of the options by group; an option belongs where it was first declared."""
        owners = {
            name: owner
            for owner in cls.__mro__  # a later one is nearer to the root: it declared the option first
            for name in inspect.get_annotations(owner)
            if name in cls.model_fields and issubclass(owner, Config)
        }
        groups: dict[str, list[str]] = {}
        for owner in (*cls.__mro__[1:], cls):  # what is particular comes after what is shared
            own = [name for name in inspect.get_annotations(owner) if owners.get(name) is owner]
            if own and issubclass(owner, Config):
                groups.setdefault(owner.group, []).extend(own)
        if MACHINE in groups:  # last, as it matters least
            groups[MACHINE] = groups.pop(MACHINE)
        return {group: tuple(names) for group, names in groups.items()}

    @classmethod
    def flat(cls, options: Mapping[str, Any], *, where: str | None = None) -> dict[str, Any]:
        """Return options without the tables, one for each group, in which a file may hold them.

        Raises
        ------
        ConfigError
            If a table is unknown, or an option stands in another group's or twice.
        """
        groups = cls.groups()
        tables = {
            key: value
            for key, value in options.items()
            if isinstance(value, Mapping) and (key in groups or key not in cls.model_fields)
        }
        result = {key: value for key, value in options.items() if key not in tables}
        for table, content in tables.items():
            if table not in groups:
                raise ConfigError(
                    f"there is no table {shown(table)}", where=where, hint=f"tables: {', '.join(groups)}"
                )
            for name, value in content.items():
                if name not in groups[table]:
                    owners = [group for group, names in groups.items() if name in names]
                    hint = f"put it into [{owners[0]}]" if owners else f"options: {', '.join(groups[table])}"
                    raise ConfigError(f"{shown(name)} is no option of [{table}]", where=where, hint=hint)
                if name in result:
                    raise ConfigError(f"{name} stands in [{table}] and outside of it", where=where)
                result[name] = value
        return result

    def result_options(self) -> dict[str, Any]:
        """Return the options that a result depends on, ready for JSON: all but those of the machine."""
        return self.model_dump(mode="json", exclude=set(self.groups().get(MACHINE, ())))

    @classmethod
    def build(cls, options: dict[str, Any], *, where: str | None = None) -> Self:
        """Validate ``options``, flat or in a table for each group; a problem is named with its option.

        Raises
        ------
        ConfigError
            If an option is unknown, in the wrong table, or has a value outside its range.
        """
        if unnamed := [name for name in options if not isinstance(name, str)]:
            raise ConfigError(f"{shown(unnamed[0])} is no name of an option", where=where, hint=_TEXT)
        try:
            return cls(**cls.flat(options, where=where))
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False)
            problems = "; ".join(map(_problem, found))
            unknown = any(item["type"] == "extra_forbidden" for item in found)
            hint = f"options: {', '.join(cls.model_fields)}" if unknown else None
            raise ConfigError(problems, where=where, hint=hint) from None

    @classmethod
    def saved(cls, options: Mapping[str, Any], *, where: str | None = None) -> Self:
        """Validate options as a directory holds them, without those that an earlier version had in vain."""
        return cls.build(cls.without_retired(options), where=where)

    @classmethod
    def without_retired(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return saved options without those that an earlier version had in vain."""
        return {name: value for name, value in options.items() if name not in cls.retired}

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read the configuration from a TOML, YAML or JSON file."""
        return cls.build(read_options(path), where=str(path))

    def updated(self, **options: Any) -> Self:
        """Return a copy with some options changed, validated again."""
        return type(self).build({**self.model_dump(), **options})

    def to_json(self) -> str:
        """Return the configuration as indented JSON."""
        return json.dumps(self.model_dump(mode="json"), indent=2) + "\n"


C = TypeVar("C", bound=Config)


def defaults(**values: Any) -> Callable[[type[C]], type[C]]:
    """Return a class decorator that gives inherited options other defaults, without declaring them again."""

    def change(model: type[C]) -> type[C]:
        for name, value in values.items():
            field = copy.copy(model.model_fields[name])
            field.default = value
            model.__pydantic_fields__[name] = field
        model.model_rebuild(force=True)
        return model

    return change


def shown(value: Any) -> str:
    """Return a value as a message shows it: short, whatever it is."""
    try:
        text = _SHORT.repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits
        text = f"<{type(value).__name__}>"
    return text.encode("utf-8", "backslashreplace").decode()


def read_options(path: str | Path) -> dict[str, Any]:
    """Read options, flat or in tables, from a TOML, YAML or JSON file, by its suffix."""
    path = require_file(path, what="configuration file")
    try:
        if (size := path.stat().st_size) > (most := _LONGEST.get(path.suffix.lower(), size)):
            raise ConfigError(f"has {size:,} bytes; a configuration file may have {most:,}", where=str(path))
        text = path.read_text(encoding="utf-8-sig")
        match path.suffix.lower():
            case ".toml":
                if any(line.count(".") > _DOTS for line in text.split("\n")):
                    raise ConfigError(f"has a line with more than {_DOTS:,} dots", where=str(path))
                options = tomllib.loads(text)
            case ".yaml" | ".yml":
                options = yaml.load(text, _Yaml)  # noqa: S506 - it is a safe loader
            case ".json":
                options = json.loads(text)
            case other:
                raise ConfigError(
                    f"unknown kind of configuration file {other!r}",
                    where=str(path),
                    hint="use .toml, .yaml or .json",
                )
    except RecursionError:
        raise ConfigError("cannot be parsed: it is nested too deeply", where=str(path)) from None
    # Dates that do not exist and numbers of thousands of digits are plain value errors in all three.
    except (ValueError, TypeError, AttributeError, LookupError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot be parsed: {error}", where=str(path)) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise ConfigError("holds no table of options", where=str(path))
    _check_plain(options, str(path))
    return options


class _Yaml(yaml.SafeLoader):
    """YAML without the merging of tables, ``<<``, which makes a few bytes many tables and sets no option."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Leave a table as it stands; its ``<<`` is the name of no option."""


def _check_plain(options: dict[Any, Any], where: str) -> None:
    """Refuse what stands in no honest file: endless aliases, depth or digits, names that are no text.

    Raises
    ------
    ConfigError
        With what was found.
    """
    level: list[Any] = [options]
    values = 0
    for _ in range(_DEEPEST):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict) and (odd := [name for name in one if not isinstance(name, str)]):
                raise ConfigError(f"{shown(odd[0])} is no name of an option", where=where, hint=_TEXT)
            if isinstance(one, int) and not -_LARGEST < one < _LARGEST:
                raise ConfigError("holds a number of more than 20 digits", where=where)
            if isinstance(one, dict | list):
                values += len(one)
                if values > _MOST:
                    raise ConfigError(f"holds more than {_MOST:,} values", where=where)
                inner.extend(one.values() if isinstance(one, dict) else one)
        level = inner
    if level:
        raise ConfigError(f"is nested more than {_DEEPEST} deep", where=where)


def _problem(found: Mapping[str, Any]) -> str:
    """Return what pydantic found, with the option and its value, or of options that do not go together."""
    message = str(found["msg"]).removeprefix("Value error, ")
    if not found["loc"]:
        return message
    return f"{'.'.join(map(str, found['loc']))}: {message} (got {shown(found['input'])})"
