"""The backbone that comes with the package: how it is made again, and how good its embedding is."""
