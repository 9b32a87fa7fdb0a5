"""The loop behind every helper: observe, decide, take a step or wait, and repeat."""
