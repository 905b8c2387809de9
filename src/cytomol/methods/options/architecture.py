"""Options of the architecture: the graph encoder, and what stands on it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cytomol.config import Config

__all__ = ["ArchitectureOptions", "DecoderOptions"]


class ArchitectureOptions(Config):
    """What is trained."""

    group: ClassVar[str] = "architecture"

    encoder: Literal["gin", "gcn"] = Field(
        "gin", description="Graph encoder: graph isomorphism (gin) or graph convolution (gcn)."
    )
    width: int = Field(300, ge=8, le=4096, description="Width of every representation.")
    layers: int = Field(5, ge=1, le=32, description="Message-passing layers of the graph encoder.")
    virtual_node: bool = Field(True, description="Give every molecular graph a virtual node.")
    readout: Literal["sum", "mean", "max"] = Field("sum", description="How atoms are pooled into a molecule.")
    zero_biases: bool = Field(
        False, description="Start the biases of all linear layers at 0 (the authors' code), not at random."
    )
    dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of the graph encoder.")


class DecoderOptions(Config):
    """What decodes, in methods that reconstruct."""

    group: ClassVar[str] = "architecture"

    decoder_dropout: float = Field(0.1, ge=0, lt=1, description="Dropout of the decoders.")
