"""Simulated time: the clock, states as a function of time, and how long transitions take."""
