"""The wait that every helper is written on: observe, decide, take a step or wait, again."""
