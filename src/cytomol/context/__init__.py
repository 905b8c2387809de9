"""The context graph: edge criteria, walks, propagation of missing modalities."""
