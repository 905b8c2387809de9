"""What a service takes on, and for how long."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cytomol.config import Config

__all__ = ["ServiceLimits"]


class ServiceLimits(Config):
    """Limits of a service; what exceeds them is refused with a reason, before any work.

    Examples
    --------
    >>> ServiceLimits(rows=200).rows
    200
    """

    group: ClassVar[str] = "limits"

    body_bytes: int = Field(2 * 2**20, ge=1024, description="Bytes of a request's body.")
    rows: int = Field(1000, ge=1, description="Molecules, profiles or candidates of a request.")
    explained_rows: int = Field(50, ge=1, description="Molecules of a request to explain.")
    numbers: int = Field(2_000_000, ge=1, description="Numbers in an answer (embeddings, profiles).")
    characters: int = Field(1000, ge=1, le=1000, description="Characters of a SMILES.")
    atoms: int = Field(200, ge=1, le=200, description="Atoms of a molecule, hydrogens apart.")
    rings: int = Field(20, ge=0, le=20, description="Ring closures of a molecule.")
    waiting: int = Field(10_000, ge=1, description="Rows that wait; more are turned away with status 503.")
    timeout: float = Field(30.0, gt=0, description="Seconds after which a request is given up.")
    batch_rows: int = Field(256, ge=1, description="Rows that the model answers at once.")
    batch_wait: float = Field(0.003, ge=0, le=1, description="Seconds that a row waits for others.")
