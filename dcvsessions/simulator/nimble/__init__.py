"""The simulated Nimble Studio."""
