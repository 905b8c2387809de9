"""What every method offers, and the registry of methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

from torch import Tensor, nn

from cytomol.errors import ConfigError
from cytomol.methods.config import MethodConfig
from cytomol.methods.needs import Needs
from cytomol.methods.output import MethodOutput
from cytomol.nn.batch import Batch, Dimensions
from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.named import NamedModules
from cytomol.registry import Registry

__all__ = ["Method", "method_of", "methods"]

methods: Registry[type[Method]] = Registry("method")


class Method(nn.Module, ABC):
    """A pretraining method: tensors of a batch in, loss or representation out.

    Attributes
    ----------
    Config
        Model of the method's options.
    blocks
        Blocks of features that a head on this method reads unless told otherwise.
    head
        Published head that goes with the method, by name.
    called
        What a sentence calls it; "" for its registered name.
    paper
        What a user of its backbone cites; "" for nothing.
    embedding_width
        Width of ``embed``.
    encoder
        The 2D encoder; None when the graph is not among the views.
    profiles
        Projector of each modality into the space of :meth:`anchor`; None for a method without.
    """

    Config: ClassVar[type[MethodConfig]]
    blocks: ClassVar[tuple[str, ...]] = ("embedding", "1d")
    head: ClassVar[str] = "chmr"
    called: ClassVar[str] = ""
    paper: ClassVar[str] = ""
    embedding_width: int
    encoder: GraphEncoder | None
    profiles: NamedModules | None

    def __init__(self) -> None:
        super().__init__()
        self.profiles = None

    @classmethod
    @abstractmethod
    def from_config(cls, config: MethodConfig, dimensions: Dimensions) -> Self:
        """Build the method for data of the given sizes."""

    @classmethod
    @abstractmethod
    def needs(cls, config: MethodConfig) -> Needs:
        """Return what the method needs of the data with these options."""

    @abstractmethod
    def forward(self, batch: Batch) -> MethodOutput:
        """Return the loss of a batch."""

    @abstractmethod
    def embed(self, batch: Batch) -> Tensor:
        """Return the representation of each molecule, shape (B, embedding_width)."""

    @property
    def anchor_width(self) -> int:
        """Width of the space of :meth:`anchor`."""
        return self.embedding_width

    def anchor(self, batch: Batch) -> Tensor:
        """Return the molecules in the space that profiles are projected to, shape (B, width)."""
        return self.embed(batch)

    def project(self, name: str, rows: Tensor) -> Tensor:
        """Return profiles of a modality in the space of :meth:`anchor`, shape (n, width).

        Parameters
        ----------
        name
            Modality.
        rows
            Profiles as the method reads them, without NaN, shape (n, width of the modality).

        Raises
        ------
        ConfigError
            If the method projects no profiles of this modality.
        """
        if self.profiles is None or name not in self.profiles:
            known = ", ".join(self.profiles or ()) or "none"
            raise ConfigError(f"the model projects no profiles of {name!r}", hint=f"it projects {known}")
        projected: Tensor = self.profiles[name](rows)
        return projected

    @property
    def decoded(self) -> tuple[str, ...]:
        """Modalities whose profiles it decodes from molecules, so which :meth:`impute` returns."""
        return ()

    def impute(self, batch: Batch) -> dict[str, Tensor]:
        """Return each modality's decoded profile, on the scaled [0, 1] axis, shape (B, width).

        A method that decodes no profiles has none to return.
        """
        del batch
        return {}

    def zero_biases(self) -> None:
        """Set the bias of every linear layer to 0, as the authors' code starts."""
        for module in self.modules():
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def set_encoder_weights(self, state: Mapping[str, Tensor]) -> None:
        """Start the 2D encoder from a pretrained one.

        Parameters
        ----------
        state
            State of a graph encoder, or of a whole method, whose encoder is then taken.

        Raises
        ------
        ConfigError
            If this method has no graph encoder, or one of another architecture.
        """
        if self.encoder is None:
            raise ConfigError("there is no graph encoder to initialise", hint="add 2d to the views")
        prefix = "encoder."
        if any(name.startswith(prefix) for name in state):
            state = {
                name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
            }
        try:
            self.encoder.load_state_dict(dict(state))
        except RuntimeError as error:
            raise ConfigError(
                f"the pretrained encoder does not fit: {error}",
                hint="use the same encoder, width, layers and virtual_node as it was trained with",
            ) from None


def method_of(config: MethodConfig) -> type[Method]:
    """Return the method that these options are of.

    Raises
    ------
    ConfigError
        If they are of none that is registered.
    """
    for name in methods:
        if methods[name].Config is type(config):
            return methods[name]
    raise ConfigError(f"{type(config).__name__} holds the options of no method")


def graph_encoder(config: MethodConfig, dimensions: Dimensions) -> GraphEncoder:
    """Build the graph encoder that ``config`` describes."""
    return GraphEncoder(
        dimensions.atom_features,
        dimensions.bond_features,
        width=config.width,
        layers=config.layers,
        dropout=config.dropout,
        virtual_node=config.virtual_node,
        convolution=config.encoder,
        readout=config.readout,
    )
