"""Compares dcvsessions with what people use without it: `python -m benchmarks`."""
