"""Yizhan 驿站: the platform with which trade unions run their service stations."""

from importlib.metadata import version

__version__ = version("yizhan")
