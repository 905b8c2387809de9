"""The HTTP service, and what the local page shares with it: models held in memory, requests batched."""
