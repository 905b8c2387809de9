"""Benchmarks, ablations and comparisons with other tools: one resumable table of jobs."""
