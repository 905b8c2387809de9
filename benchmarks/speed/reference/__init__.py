"""The path of the published code, written anew from the public building blocks that it uses.

OGB's feature functions, PyTorch Geometric's layers and one data object per molecule, a NetworkX graph with
dense targets on its nodes. It is the slow and obvious computation: tests compare the fast path with it,
number by number, and the benchmarks measure both in one run.
"""
