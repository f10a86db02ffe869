"""The version, alone in a file so that building needs no imports."""

__version__ = "0.1.0"
