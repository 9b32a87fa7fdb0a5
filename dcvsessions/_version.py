"""The version of the package: the one place in which it stands."""

__version__ = "0.1.0"
