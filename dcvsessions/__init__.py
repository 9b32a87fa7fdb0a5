"""Typed async SDK that opens Amazon DCV desktops."""

__version__ = "0.1.0"
