"""Long inputs answered chunk by chunk, here or in other processes."""
