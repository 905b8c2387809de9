"""The contrastive method: a molecule and its profile know each other among all others.

::

    1d, 2d, 3d ------encoders--> sum = x ---+
                                            |--> each retrieves from both --> InfoLOOB
    profile of a modality --encoder--> y ---+

Sanchez-Fernandez et al., "CLOOME: contrastive learning unlocks bioimaging databases for queries with chemical
structures", Nature Communications 14, 7339 (2023), with the objective of CLOOB, Fürst et al., NeurIPS 2022.
The paper has one modality, images; here there may be any number, each with the molecules that have it.
"""

from __future__ import annotations

from typing import Self

import torch
from torch import Tensor
from torch.nn import functional

from cytomol.errors import ConfigError
from cytomol.methods.base import Method, graph_encoder, methods
from cytomol.methods.config import ContrastiveConfig, MethodConfig
from cytomol.methods.needs import Needs, ProfileNeeds
from cytomol.methods.output import MethodOutput
from cytomol.methods.read_views import project_views
from cytomol.nn.batch import Batch, Dimensions
from cytomol.nn.condense import condense
from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.head import PropertyHead
from cytomol.nn.named import NamedModules
from cytomol.nn.precision import full_precision
from cytomol.nn.together import gathered
from cytomol.objectives.infoloob import cloob

__all__ = ["Contrastive"]


@methods.register("contrastive")
class Contrastive(Method):
    """Contrast of molecules with their profiles.

    Loss = mean over modalities of the contrast among the molecules that have a profile of it.

    Parameters
    ----------
    config
        Temperature, and whether embeddings are retrieved first.
    encoder
        2D encoder; None without the graph.
    views
        From each molecular view to the shared space.
    profiles
        From each modality to the shared space.
    """

    Config = ContrastiveConfig
    called = "the contrastive method"
    paper = (
        "Sanchez-Fernandez et al., CLOOME: contrastive learning unlocks bioimaging databases for queries "
        "with chemical structures, Nature Communications 14, 7339 (2023), doi:10.1038/s41467-023-42328-w"
    )

    def __init__(
        self,
        config: ContrastiveConfig,
        encoder: GraphEncoder | None,
        *,
        views: NamedModules,
        profiles: NamedModules,
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.views = views
        self.profiles: NamedModules = profiles
        self.embedding_width = config.width

    @classmethod
    def from_config(cls, config: MethodConfig, dimensions: Dimensions) -> Self:
        """Build the method for data of the given sizes."""
        assert isinstance(config, ContrastiveConfig)
        widths = {**dimensions.views, "2d": config.width}
        if missing := [view for view in config.views if view not in widths]:
            raise ConfigError(f"the data hold no view {', '.join(missing)}", hint="choose other views")

        def to_shared_space(width: int) -> PropertyHead:
            return PropertyHead(
                width,
                config.width,
                hidden=config.hidden,
                layers=config.hidden_layers,
                dropout=config.dropout,
                norm="layer",  # a batch's other rows, masked ones among them, do not count
            )

        encoder = graph_encoder(config, dimensions) if "2d" in config.views else None
        views = {view: to_shared_space(widths[view]) for view in config.views}
        profiles = {name: to_shared_space(width) for name, width in dimensions.modalities.items()}
        return cls(config, encoder, views=NamedModules(views), profiles=NamedModules(profiles))

    @classmethod
    def needs(cls, config: MethodConfig) -> Needs:
        """Return that it reads views and measured profiles, of molecules that have one.

        A profile of a gene is shared by all molecules that target the gene, so it tells none of them from the
        others: it is not read.
        """
        assert isinstance(config, ContrastiveConfig)
        return Needs(
            views=config.views,
            profiles=ProfileNeeds(config.profile_inputs, of_genes=False),
            targets=False,
            molecules="profiled",
        )

    def forward(self, batch: Batch) -> MethodOutput:
        """Return the contrast of a batch, averaged over the modalities that two molecules or more have."""
        molecules, known = gathered(self._molecules(batch))  # negatives are those of the whole batch
        terms: dict[str, Tensor] = {}
        metrics: dict[str, Tensor] = {}
        counted = []
        scale = self.config.retrieval_scale if self.config.retrieval else None
        for name in (name for name in self.profiles if name in batch.responses):
            measured = batch.responses[name].measured
            profiles, has, weight = gathered(
                (self.profiles[name](measured.values), measured.known, batch.responses[name].weight)
            )
            both = has if known is None else has & known
            if weight is not None:
                both = both & (weight > 0)
            counted.append(both.sum() > 1)
            # similarities are taken in float32, whatever the layers multiply in
            with full_precision(molecules.device):
                of_each = molecules.new_ones(len(molecules)) if weight is None else weight
                part, (own, theirs, of_each) = condense(both, molecules, profiles, of_each)
                terms[f"contrast/{name}"] = cloob(
                    own,
                    theirs,
                    self.config.temperature,
                    scale=scale,
                    part=part,
                    weight=None if weight is None else of_each,
                )
                metrics[f"recognised/{name}"] = _recognised(own.detach(), theirs.detach(), part)
        loss = molecules.sum() * 0  # of a batch without profiles, so that it has a gradient too
        if terms:
            loss = loss + sum(terms.values()) / torch.stack(counted).sum().clamp(min=1)
        return MethodOutput(loss, {name: term.detach() for name, term in terms.items()}, metrics)

    def embed(self, batch: Batch) -> Tensor:
        """Return x, the molecule in the shared space, shape (B, width)."""
        return self._molecules(batch)[0]

    def _molecules(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """Return x, shape (B, width), and which molecules have a view at all, shape (B,); None for all."""
        projected, present_by_view = project_views(self.views, self.encoder, batch)
        rows, masks = list(projected.values()), list(present_by_view.values())
        total = rows[0]
        for other in rows[1:]:
            total = total + other
        known = None
        if present := [mask for mask in masks if mask is not None]:
            known = torch.stack(present).any(dim=0) if len(present) == len(masks) else None
        return total, known


def _recognised(molecules: Tensor, profiles: Tensor, part: Tensor | None) -> Tensor:
    """Return the share of molecules whose own profile is the nearest of the batch, a scalar."""
    similarity = (
        functional.normalize(molecules.float(), dim=1) @ functional.normalize(profiles.float(), dim=1).T
    )
    if len(similarity) == 0:
        return similarity.new_zeros(())
    if part is not None:
        similarity = similarity.masked_fill(~part, -torch.inf)
    right = similarity.argmax(dim=1) == torch.arange(len(similarity), device=similarity.device)
    if part is None:
        return right.float().mean()
    return (right & part).sum() / part.sum().clamp(min=1)
