"""A head learns tasks: a small network on features, alone or together with the backbone."""
