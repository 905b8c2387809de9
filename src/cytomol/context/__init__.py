"""The context graph: edge criteria, walks, propagation of missing modalities."""

from cytomol.context.build import build_context
from cytomol.context.fills import distance_matrix, measured_mean, propagate_as_coded
from cytomol.context.graph import ContextGraph
from cytomol.context.propagation import Propagated, held_out_propagate, neighbour_matrix, propagate
from cytomol.context.walks import follow_walks, sample_walks, transition_matrix
from cytomol.options.context import ContextOptions

__all__ = [
    "ContextGraph",
    "ContextOptions",
    "Propagated",
    "build_context",
    "distance_matrix",
    "follow_walks",
    "held_out_propagate",
    "measured_mean",
    "neighbour_matrix",
    "propagate",
    "propagate_as_coded",
    "sample_walks",
    "transition_matrix",
]
