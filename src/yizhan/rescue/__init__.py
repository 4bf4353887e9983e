"""Roadside rescue: calls, helpers, dispatch."""
