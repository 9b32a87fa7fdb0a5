"""The command `dcvsessions`: a thin layer over the helpers."""
