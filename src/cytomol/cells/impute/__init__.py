"""The profiles that molecules are expected to give, calibrated."""
