"""CHMR: molecules and cell responses share one space, ordered by one tree.

::

    1d, 2d, 3d ------projectors--> p_1D + p_2D + p_3D = p_anch ---+--decoders--> molecular features
                                            |                     |
                                alignment (SCA), tree (VQ)        +--decoders--> responses along
                                            |                     |              the context walk
    profile, augmented --projectors-----> p_c, p_c,aug -----------+

Li et al., "Learning Cell-Aware Hierarchical Multi-Modal Representations for Robust Molecular
Modeling", AAAI 2026, arXiv 2511.21120.
"""

from __future__ import annotations

from typing import Self, cast

import torch
from torch import Tensor

from cytomol.errors import ConfigError
from cytomol.methods.base import Method, graph_encoder, methods
from cytomol.methods.config import CHMRConfig, MethodConfig
from cytomol.methods.groups import JoinedGroups
from cytomol.methods.needs import Filling, Needs, ProfileNeeds
from cytomol.methods.output import MethodOutput
from cytomol.methods.read_views import project_views
from cytomol.methods.responses import best, compared, contrasted, project_response, quantized
from cytomol.nn import leaf_quantizer  # noqa: F401 (it registers)
from cytomol.nn.batch import Batch, Dimensions, Response
from cytomol.nn.condense import condense
from cytomol.nn.decoder import Decoder
from cytomol.nn.encoder import GraphEncoder
from cytomol.nn.named import NamedModules
from cytomol.nn.precision import full_precision
from cytomol.nn.projector import Projector
from cytomol.nn.quantizer import CodeBook, quantizers
from cytomol.nn.together import gathered
from cytomol.objectives.consistency import vicreg
from cytomol.objectives.contrast import info_nce
from cytomol.objectives.quantization import code_loss, perplexity, reverse_code_loss
from cytomol.objectives.sufficiency import walk_cross_entropy, walk_squared_error

__all__ = ["CHMR"]


@methods.register("chmr")
class CHMR(Method):
    """Cell-aware hierarchical multi-modal representations.

    Loss = L_CPR + lambda_sca L_SCA + lambda_vq L_TreeVQ.

    Parameters
    ----------
    config
        Which terms take part, and with which weights.
    encoder
        2D encoder; None without the graph.
    views
        Projector of each molecular view, in the order of the embedding.
    profiles
        Projector of each modality.
    decoders
        Decoder of each target space.
    quantizer
        Code book shared by all views and modalities; None without one.
    binary
        Target spaces whose entries are 0 or 1.
    """

    Config = CHMRConfig
    called = "CHMR"
    paper = (
        "Li et al., Learning Cell-Aware Hierarchical Multi-Modal Representations for Robust Molecular "
        "Modeling, AAAI 2026, arXiv:2511.21120"
    )

    def __init__(
        self,
        config: CHMRConfig,
        encoder: GraphEncoder | None,
        *,
        views: NamedModules,
        profiles: NamedModules,
        decoders: NamedModules,
        quantizer: CodeBook | None,
        binary: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.config = config
        self.encoder = encoder
        self.views = views
        self.profiles: NamedModules = profiles
        self.decoders = decoders
        self.quantizer = quantizer
        self.cross_entropy = frozenset(decoders if config.continuous_loss == "bce" else binary)
        self.embedding_width = config.width * len(views)

    @classmethod
    def from_config(cls, config: MethodConfig, dimensions: Dimensions) -> Self:
        """Build CHMR for data of the given sizes."""
        assert isinstance(config, CHMRConfig)
        d = config.width
        widths = {**dimensions.views, "2d": d}
        if missing := [view for view in config.views if view not in widths]:
            raise ConfigError(f"the data hold no view {', '.join(missing)}", hint="choose other views")
        # What all variants of an ablation share is built first: so it starts from the same weights in each.
        encoder = graph_encoder(config, dimensions) if "2d" in config.views else None
        views = NamedModules({view: Projector(widths[view], d) for view in config.views})
        profiles = NamedModules({name: Projector(width, d) for name, width in dimensions.modalities.items()})
        decoders = {
            name: Decoder(d, width, dropout=config.decoder_dropout, norm="layer")
            for name, width in dimensions.targets.items()
        }
        quantizer = None
        if config.quantizer != "none":
            quantizer = quantizers[config.quantizer](d, config.depth, reseed=config.reseed_dead_codes)
        return cls(
            config,
            encoder,
            views=views,
            profiles=profiles,
            decoders=NamedModules(decoders if config.reconstruction else {}),
            quantizer=quantizer,
            binary=dimensions.binary_targets,
        )

    @classmethod
    def needs(cls, config: MethodConfig) -> Needs:
        """Return that it reads views and profiles, missing ones filled, and learns what walks meet."""
        assert isinstance(config, CHMRConfig)
        match config.augmentation:
            case "zero" | "random" | "mean":
                filling = None
            case way:
                filling = Filling(
                    way,
                    neighbours=config.neighbours,
                    steps=config.propagation_steps,
                    restore=config.restore_observed,
                    unknown=config.propagation_fill,
                    held_out=config.alignment == "held_out",
                )
        return Needs(views=config.views, profiles=ProfileNeeds(config.profile_inputs, filling))

    def forward(self, batch: Batch) -> MethodOutput:
        """Return the weighted sum of reconstruction, alignment and quantization of a batch."""
        views, present = project_views(self.views, self.encoder, batch)
        anchor = torch.stack(list(views.values())).sum(dim=0)
        responses = self._project_responses(batch)

        terms = self._reconstruct(batch, anchor, responses)
        # negatives, distributions and codes are those of the whole batch, whichever process has its rows
        views, present, anchor, responses = gathered((views, present, anchor, responses))
        # distances are taken in float32, whatever the layers multiply in
        with full_precision(anchor.device):
            aligned = self._align(anchor, responses)
            quantized, metrics = self._quantize(views, present, anchor, responses)

        loss = anchor.new_zeros(()) + sum(terms.values())
        loss = (
            loss
            + self.config.lambda_sca * sum(aligned.values())
            + self.config.lambda_vq * sum(quantized.values())
        )
        terms = terms | aligned | quantized
        return MethodOutput(loss, {name: term.detach() for name, term in terms.items()}, metrics)

    def embed(self, batch: Batch) -> Tensor:
        """Return [p_1D ‖ p_2D ‖ p_3D] for the views in use, zeros where masked, shape (B, views * d)."""
        return torch.cat(list(project_views(self.views, self.encoder, batch)[0].values()), dim=1)

    @property
    def anchor_width(self) -> int:
        """Width of the projections and of their sum."""
        return self.config.width

    def anchor(self, batch: Batch) -> Tensor:
        """Return p_anch, the sum of the projected views, shape (B, width)."""
        return torch.stack(list(project_views(self.views, self.encoder, batch)[0].values())).sum(dim=0)

    @property
    def decoded(self) -> tuple[str, ...]:
        """Modalities whose profiles it decodes from molecules."""
        return tuple(name for name in self.profiles if name in self.decoders)

    def impute(self, batch: Batch) -> dict[str, Tensor]:
        """Return each modality's decoded profile on the scaled [0, 1] axis, shape (B, width of the modality).

        They are decoded from the molecule, except where the decoders were trained on profiles alone
        (``decode_from="modality"``) and the batch brings the profile.
        """
        anchor = self.anchor(batch)
        responses = self._project_responses(batch) if self.config.decode_from == "modality" else {}
        imputed = {}
        for name in self.decoded:
            source = best(responses[name], self.config.missing_input) if name in responses else anchor
            decoded = self.decoders[name](source).float()
            imputed[name] = torch.sigmoid(decoded) if name in self.cross_entropy else decoded
        return imputed

    def codes(self, batch: Batch) -> Tensor:
        """Return the anchor's path through the tree, the node of each level, int64, shape (B, depth)."""
        if self.quantizer is None:
            raise ConfigError("the model has no code book", hint='train with quantizer = "tree"')
        return cast("Tensor", self.quantizer(self.anchor(batch)).path)

    def _project_responses(self, batch: Batch) -> dict[str, Response]:
        """Return p_c and its companions for the modalities that the batch brings."""
        return {
            name: project_response(self.profiles[name], batch.responses[name], self.config.augmentation)
            for name in self.profiles
            if name in batch.responses
        }

    def _reconstruct(self, batch: Batch, anchor: Tensor, responses: dict[str, Response]) -> dict[str, Tensor]:
        """L_CPR: decode what the nodes along each molecule's walk hold."""
        terms = {}
        for name in self.decoders:
            if (sums := batch.targets.get(name)) is None:
                continue
            loss = walk_cross_entropy if name in self.cross_entropy else walk_squared_error
            sources = [anchor]
            if name in responses and self.config.decode_from != "anchor":
                own = best(responses[name], self.config.missing_input)
                sources = [own] if self.config.decode_from == "modality" else [own, anchor]
            losses = [loss(self.decoders[name](source, sums.rows), sums) for source in sources]
            terms[f"reconstruction/{name}"] = torch.stack(losses).mean()
        return terms

    def _align(self, anchor: Tensor, responses: dict[str, Response]) -> dict[str, Tensor]:
        """L_SCA = L_IA + L_DA, each averaged or summed over modalities."""
        config = self.config
        losses: dict[str, list[Tensor]] = {}
        for response in responses.values() if config.lambda_sca > 0 else ():
            if config.instance_alignment:
                profiles, weight = contrasted(response, config.alignment, config.augmented_weight)
                molecules = anchor
                if weight is not None:
                    _, (molecules, profiles, weight) = condense(weight > 0, anchor, profiles, weight)
                instance = info_nce(molecules, profiles, config.temperature, weight)
                losses.setdefault("instance_alignment", []).append(instance)
            if config.distribution_alignment:
                measured, told, part = compared(response, config.alignment)
                counted = response.weight if response.weight is not None else measured.new_ones(len(measured))
                part, (measured, told, counted) = condense(part, measured, told, counted)
                distribution = vicreg(
                    measured,
                    told,
                    hinges=config.variance_hinges,
                    part=part,
                    weight=None if response.weight is None else counted,
                ).total()
                losses.setdefault("distribution_alignment", []).append(distribution)
        gather = torch.sum if config.alignment_reduction == "sum" else torch.mean
        return {name: gather(torch.stack(parts)) for name, parts in losses.items()}

    def _quantize(
        self,
        views: dict[str, Tensor],
        present: dict[str, Tensor | None],
        anchor: Tensor,
        responses: dict[str, Response],
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """L_TreeVQ over all views (or their sum) and modalities, and the perplexity of each level."""
        book = self.quantizer
        if book is None or self.config.lambda_vq == 0:
            return {}, {}
        molecules = [(views[view], present[view]) for view in views]
        groups = JoinedGroups.build(
            (molecules if self.config.quantized == "views" else [(anchor, None)])
            + [quantized(response, self.config.alignment) for response in responses.values()]
        )
        chosen, path, _ = book(groups.rows, groups.part)
        codes = book.unit_codes()
        terms = {"quantization": code_loss(groups.rows, codes, chosen, self.config.eta, groups.weight)}
        if self.config.reverse_assignment != "none":
            terms["reverse_quantization"] = self._reverse(book, groups, path, codes)
        metrics = {
            f"perplexity/{level}": perplexity(path[:, level - 1], size, part=groups.part)
            for level, size in enumerate(book.level_sizes, start=1)
        }
        return terms, metrics

    def _reverse(self, book: CodeBook, groups: JoinedGroups, path: Tensor, codes: Tensor) -> Tensor:
        """Pull codes towards samples: over all groups at once, or within each and the tree."""
        way, eta = self.config.reverse_assignment, self.config.eta
        if way == "pooled":
            return reverse_code_loss(groups.rows, codes, book.level_sizes, eta, part=groups.part)
        losses = [
            reverse_code_loss(
                rows,
                codes,
                book.level_sizes,
                eta,
                part=part,
                reached=book.reached(paths),
                unreached_to_first=way == "authors",
            )
            for rows, part, paths in groups.apart(path)
        ]
        # a group without rows has no loss, and does not count
        return torch.stack(losses).sum() / groups.filled
