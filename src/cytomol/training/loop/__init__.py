"""One fit of a backbone: state, checkpoints, loggers, interruption."""
