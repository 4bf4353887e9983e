"""This room's part of the HTTP API."""

from .push_api import router

__all__ = ["router"]
