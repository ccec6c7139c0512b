"""Decides: pure functions and frozen records. No files, clock, network, or randomness of its own."""

__version__ = "0.1.0"
