"""What it takes to answer 10^8 and 10^9 molecules, from the rates of a small run."""
