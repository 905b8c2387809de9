"""Groups of options that several rooms read: each option is declared here and nowhere else."""
