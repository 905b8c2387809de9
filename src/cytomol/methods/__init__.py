"""InfoAlign and CHMR: each file reads as its paper's figure."""
