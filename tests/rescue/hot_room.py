"""The hot application with the rescue room alone: nothing else has to be read before it answers."""

from __future__ import annotations

from importlib import import_module

from yizhan.site.hot import assemble  # sets Django up: the room can be imported only afterwards

application = assemble([import_module("yizhan.rescue.hot")])
