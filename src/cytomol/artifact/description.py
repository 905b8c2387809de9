"""What a backbone's ``config.json`` must hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError, field_validator

from cytomol.errors import ModelDirectoryError
from cytomol.nn.batch import Dimensions

__all__ = ["Description", "described"]


class Description(BaseModel):
    """Method, options, sizes and modalities of a backbone."""

    method: str
    config: dict[str, Any]
    dimensions: Dimensions
    modalities: dict[str, dict[str, Any]]

    @field_validator("dimensions")
    @classmethod
    def _positive(cls, dimensions: Dimensions) -> Dimensions:
        if dimensions.smallest < 1:
            raise ValueError("every size must be at least 1")
        return dimensions


def described(description: Mapping[str, Any], where: str) -> Description:
    """Check a description.

    Raises
    ------
    ModelDirectoryError
        If it lacks a part, or a size makes no sense.
    """
    try:
        return Description.model_validate(description)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelDirectoryError(
            f"config.json: {place or 'the whole'}: {first['msg']}", where=where
        ) from None
