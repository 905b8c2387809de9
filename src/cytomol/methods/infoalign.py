"""InfoAlign: a molecule's code keeps what its cellular context says, and little else.

::

    graph --encoder--> bottleneck N(mu, sigma^2) --> z --decoders--> features along the context walk
                              |                                             |
                          minimality                                   sufficiency

Liu et al., "Learning Molecular Representation in a Cell", ICLR 2025, arXiv 2406.12056.
"""

from __future__ import annotations

from typing import Literal, Self

import torch
from torch import Tensor

from cytomol.errors import ConfigError
from cytomol.methods.base import Method, graph_encoder, methods
from cytomol.methods.config import InfoAlignConfig, MethodConfig
from cytomol.methods.needs import Needs
from cytomol.methods.output import MethodOutput
from cytomol.nn.batch import Batch, Dimensions
from cytomol.nn.bottleneck import Bottleneck
from cytomol.nn.decoder import Decoder
from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.named import NamedModules
from cytomol.nn.together import gathered
from cytomol.objectives.minimality import minimality
from cytomol.objectives.sufficiency import walk_cross_entropy

__all__ = ["InfoAlign"]


@methods.register("infoalign")
class InfoAlign(Method):
    """Information bottleneck over molecules and their context walks.

    Loss = sum over target spaces of the sufficiency terms + beta x minimality.

    Parameters
    ----------
    encoder
        2D encoder.
    bottleneck
        Encoding to (mu, sigma).
    decoders
        One for each target space.
    modalities
        Target spaces that are cell modalities.
    beta
        Weight of the minimality term.
    decode
        What decoders read: "mean" (mu) or "sample" (z).
    """

    Config = InfoAlignConfig
    blocks = ("embedding",)
    head = "infoalign"
    called = "InfoAlign"
    paper = "Liu et al., Learning Molecular Representation in a Cell, ICLR 2025, arXiv:2406.12056"

    def __init__(
        self,
        encoder: GraphEncoder,
        bottleneck: Bottleneck,
        decoders: NamedModules,
        *,
        modalities: tuple[str, ...] = (),
        beta: float = 1e-9,
        decode: Literal["mean", "sample"] = "mean",
    ) -> None:
        super().__init__()
        self.encoder: GraphEncoder = encoder
        self.bottleneck = bottleneck
        self.decoders = decoders
        self.modalities = modalities
        self.beta = beta
        self.decode = decode
        self.embedding_width = encoder.width

    @classmethod
    def from_config(cls, config: MethodConfig, dimensions: Dimensions) -> Self:
        """Build InfoAlign for data of the given sizes."""
        assert isinstance(config, InfoAlignConfig)
        # What all variants of an ablation share is built first: so it starts from the same weights in each.
        encoder, bottleneck = graph_encoder(config, dimensions), Bottleneck(config.width)
        decoders = {
            name: Decoder(config.width, width, dropout=config.decoder_dropout, norm="batch")
            for name, width in dimensions.targets.items()
        }
        return cls(
            encoder,
            bottleneck,
            NamedModules(decoders),
            modalities=tuple(name for name in dimensions.targets if name in dimensions.modalities),
            beta=config.beta,
            decode=config.decode,
        )

    @classmethod
    def needs(cls, config: MethodConfig) -> Needs:
        """Return that it reads the graph alone, and learns what walks meet."""
        return Needs(views=config.views)

    def forward(self, batch: Batch) -> MethodOutput:
        """Return sufficiency and minimality of a batch."""
        mean, deviation = self._code(batch)
        sample = self.bottleneck.sample(mean, deviation)
        read = mean if self.decode == "mean" else sample

        terms = {"minimality": minimality(*gathered((sample, mean, deviation)))}
        loss = self.beta * terms["minimality"]
        for name in self.decoders:
            if (sums := batch.targets.get(name)) is not None:
                term = walk_cross_entropy(self.decoders[name](read, sums.rows), sums)
                terms[f"sufficiency/{name}"] = term
                loss = loss + term
        return MethodOutput(loss, {name: term.detach() for name, term in terms.items()})

    def embed(self, batch: Batch) -> Tensor:
        """Return mu, shape (B, width)."""
        return self._code(batch)[0]

    @property
    def decoded(self) -> tuple[str, ...]:
        """Modalities whose profiles it decodes from molecules."""
        return self.modalities

    def impute(self, batch: Batch) -> dict[str, Tensor]:
        """Return each modality's decoded profile, in [0, 1], shape (B, width of the modality)."""
        mean = self.embed(batch)
        return {name: torch.sigmoid(self.decoders[name](mean).float()) for name in self.modalities}

    def _code(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return mu and sigma, shape (B, width)."""
        if batch.graph is None:
            raise ConfigError(
                "InfoAlign reads the molecular graph, and the batch has none", hint="add the view 2d"
            )
        mean, deviation = self.bottleneck(self.encoder(batch.graph))
        return mean, deviation
