"""Nimble Studio: streaming sessions and the streams into them."""
