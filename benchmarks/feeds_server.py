"""The hot application of the feeds alone, for `benchmarks.feeds_reading` to ask over HTTP."""

import os
from types import SimpleNamespace
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yizhan.site.settings")
django.setup()

from yizhan.feeds.hot import in_threads, routes_of  # noqa: E402 - the settings come first
from yizhan.site.hot import assemble  # noqa: E402

_no_index: Any = SimpleNamespace(current=None)
application = assemble([SimpleNamespace(routes=routes_of(in_threads, _no_index))])
