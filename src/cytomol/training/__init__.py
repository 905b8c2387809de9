"""Batches, the Lightning module and data module, callbacks, the model directory."""
