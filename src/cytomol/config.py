"""Frozen configuration models: one per method, read from TOML, YAML or JSON, written back as JSON."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from cytomol.errors import ConfigError
from cytomol.files import require_file

__all__ = ["Config", "read_options"]


class Config(BaseModel):
    """Base of every configuration: frozen, and an unknown option is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def build(cls, options: dict[str, Any], *, where: str | None = None) -> Self:
        """Validate ``options``; every problem is named with the option it concerns.

        Raises
        ------
        ConfigError
            If an option is unknown or has a value outside its range.
        """
        try:
            return cls(**options)
        except ValidationError as error:
            problems = "; ".join(
                f"{'.'.join(map(str, item['loc'])) or 'options'}: {item['msg']} (got {item['input']!r})"
                for item in error.errors()
            )
            raise ConfigError(problems, where=where, hint=f"options: {', '.join(cls.model_fields)}") from None

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


def read_options(path: str | Path) -> dict[str, Any]:
    """Read a flat table of options from a TOML, YAML or JSON file, by its suffix."""
    path = require_file(path, what="configuration file")
    try:
        text = path.read_text(encoding="utf-8-sig")
        match path.suffix.lower():
            case ".toml":
                options = tomllib.loads(text)
            case ".yaml" | ".yml":
                options = yaml.safe_load(text)
            case ".json":
                options = json.loads(text)
            case other:
                raise ConfigError(
                    f"unknown kind of configuration file {other!r}",
                    where=str(path),
                    hint="use .toml, .yaml or .json",
                )
    except (tomllib.TOMLDecodeError, yaml.YAMLError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be parsed: {error}", where=str(path)) from None
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise ConfigError("holds no table of options", where=str(path))
    return options
