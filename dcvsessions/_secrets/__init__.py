"""Keeping secrets out of logs, errors and tracebacks."""
