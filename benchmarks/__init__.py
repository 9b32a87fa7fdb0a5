"""Measures dcvsessions beside what people use without it: `python -m benchmarks`."""
