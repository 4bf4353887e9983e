"""The command line `yizhan`."""

from .main import main

__all__ = ["main"]
