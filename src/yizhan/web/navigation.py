"""The desk's navigation: what the rooms offer, less what the acting post may not do."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from django.apps import apps
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _

from yizhan.unions.navigation import NavigationEntry
from yizhan.unions.queries.numbers import numbers_of
from yizhan.unions.rights import policy

from .icons import ICONS

if TYPE_CHECKING:
    from yizhan.unions.models import Staff

COUNTED_TO = 999  # beyond that a menu only says that there are more
QUICK_ENTRIES = 4  # what the bar at the foot of a phone holds beside "More"

entries = [NavigationEntry(label=_("Overview"), url_name="web:desk", order=0, icon="home")]


@dataclass(frozen=True, slots=True)
class ShownEntry:
    """One entry as a page shows it."""

    label: str
    url: str
    icon: str
    counts: bool
    is_current: bool


@cache
def address_of(*names: str) -> str:
    """The address of the first of `names` that a room has, or nothing."""
    for name in names:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    return ""


@cache
def offered() -> tuple[NavigationEntry, ...]:
    """What all rooms put into the desk's navigation, in its order."""
    found: list[NavigationEntry] = []
    for config in apps.get_app_configs():
        if config.name.startswith("yizhan.") and module_has_submodule(config.module, "navigation"):
            found.extend(import_module(f"{config.name}.navigation").entries)
    return tuple(sorted(found, key=lambda entry: entry.order))


def _written(number: int) -> str:
    """A number as the small mark beside an entry: empty for none, and `999+` where nobody needs to know more."""
    if number > COUNTED_TO:
        return f"{COUNTED_TO}+"
    return str(number) if number else ""


def _open_to(staff: Staff) -> list[tuple[NavigationEntry, str]]:
    """The entries that `staff` may open, and their addresses."""
    found: list[tuple[NavigationEntry, str]] = []
    for entry in offered():
        if entry.right is not None and not policy.holds(staff, entry.right):
            continue
        # A room that announces a page without an address: the tests name it; a desk without the entry still works.
        if url := address_of(entry.url_name):
            found.append((entry, url))
    return found


def shown_to(staff: Staff, path: str) -> list[ShownEntry]:
    """The entries that `staff` may open, while the page at `path` is shown.

    The current entry is the one with the longest address at the head of `path`. What waits at an entry is not asked
    here: counting it takes longer than many a page, and the page asks for it when it stands (`waiting`).
    """
    found = _open_to(staff)
    current = max((url for _entry, url in found if path.startswith(url)), key=len, default="")
    return [
        ShownEntry(
            label=str(entry.label),
            url=url,
            icon=entry.icon if entry.icon in ICONS else "circle",
            counts=entry.waiting is not None,
            is_current=url == current,
        )
        for entry, url in found
    ]


def waiting(staff: Staff) -> dict[str, str]:
    """What waits for `staff` behind each address of the navigation that counts: `3`, `999+`, or nothing.

    All is asked at once; at most `COUNTED_TO` + 1 a query.
    """
    asked = [(url, query) for entry, url in _open_to(staff) if entry.waiting for query in entry.waiting(staff)]
    numbers = numbers_of(staff, *(query for _url, query in asked), limit=COUNTED_TO + 1)
    found: dict[str, int] = {}
    for (url, _query), number in zip(asked, numbers, strict=True):
        found[url] = found.get(url, 0) + number
    return {url: _written(number) for url, number in found.items()}
