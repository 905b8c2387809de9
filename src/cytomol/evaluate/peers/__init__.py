"""Other packages to compare with, each run by its own command line in its own environment."""

from cytomol.evaluate.peers import chemprop
from cytomol.evaluate.peers.base import Peer, PeerResult, peers

__all__ = ["Peer", "PeerResult", "peers"]

del chemprop  # imported to register itself
