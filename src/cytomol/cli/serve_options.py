"""Options of the verb serve: the limits of a service, as its configuration declares them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["limit_options"]

F = TypeVar("F", bound=Callable[..., Any])


def limit_options(function: F) -> F:
    """Add an option for each limit of a service."""
    from cytomol.serve.service_limits import ServiceLimits

    for name, field in reversed(ServiceLimits.model_fields.items()):
        kind = float if field.annotation is float else int
        function = click.option(
            f"--{name.replace('_', '-')}",
            name,
            type=kind,
            default=field.default,
            show_default=True,
            help=field.description,
        )(function)
    return function
