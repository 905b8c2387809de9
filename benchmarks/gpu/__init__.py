"""Minutes on a borrowed GPU machine: what is equal, how fast it is, and weights of long trainings."""
