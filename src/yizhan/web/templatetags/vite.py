"""`{% island "NAME" %}`: the script and style of an island of the page, as built by Vite."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()

BUILT = Path(__file__).resolve().parents[1] / "static" / "web" / "built"
MANIFEST = BUILT / ".vite" / "manifest.json"


class UnknownIsland(template.TemplateSyntaxError):
    """A template asks for an island that has no source."""


@lru_cache(maxsize=4)
def _parsed(_changed_at: int, path: str) -> dict[str, Any]:
    return json.loads(Path(path).read_text("utf-8"))  # type: ignore[no-any-return]


def manifest() -> dict[str, Any] | None:
    """Vite's manifest, or None while the front end is not built."""
    try:
        changed_at = MANIFEST.stat().st_mtime_ns
    except FileNotFoundError:
        return None
    return _parsed(changed_at, str(MANIFEST))


def chunks_of(name: str, built: dict[str, Any]) -> list[dict[str, Any]]:
    """The island's entry and every chunk that it imports at once, entry first."""
    source = f"src/islands/{name}.ts"
    if source not in built:
        known = ", ".join(sorted(Path(key).stem for key, chunk in built.items() if chunk.get("isEntry")))
        raise UnknownIsland(f"there is no island {name!r} in frontend/src/islands; built are: {known}")
    found: dict[str, dict[str, Any]] = {}
    waiting = [source]
    while waiting:
        key = waiting.pop(0)
        if key not in found:
            found[key] = built[key]
            waiting.extend(built[key].get("imports", []))
    return list(found.values())


def _address(file: str) -> str:
    # Vite has put a hash into the name already; a second one by the storage would break imports between chunks.
    return f"{settings.STATIC_URL}web/built/{file}"


@register.simple_tag
def island(name: str) -> SafeString:
    """Tags that load island `name` with its styles.

    While the front end is not built the page still renders: only a comment says what is missing and how to make it.

    Raises:
        UnknownIsland: the front end is built and has no such island.
    """
    built = manifest()
    if built is None:
        return format_html("<!-- island {}: not built; run python -m yizhan.site.frontend build -->", name)
    entry, *imported = chunks_of(name, built)
    styles = dict.fromkeys(style for chunk in [entry, *imported] for style in chunk.get("css", []))
    return format_html(
        "{}{}{}",
        format_html_join("", '<link rel="stylesheet" href="{}">', ((_address(style),) for style in styles)),
        format_html_join(
            "", '<link rel="modulepreload" href="{}">', ((_address(chunk["file"]),) for chunk in imported)
        ),
        format_html('<script type="module" src="{}"></script>', _address(entry["file"])),
    )


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file that is not part of an island, hashed where files have been collected."""
    try:
        return staticfiles_storage.url(path)
    except ValueError:
        # Not collected: the test suite and a checkout served with DEBUG.
        return f"{settings.STATIC_URL}{path}"
