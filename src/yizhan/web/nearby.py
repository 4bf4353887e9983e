"""The list beside the map as the server makes it: published places by what the reader asks, without a position.

The page's script adds distances and sorts by them; without script the list is in the order of unions and names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext as _

from yizhan.places.hours import Openness, state_at, state_in_words
from yizhan.places.models import Offer, OfferKind, Place, PlaceKind

A_PAGE = 20
CLOSES_SOON = timedelta(minutes=30)
LONGEST_SEARCH = 60


@dataclass(frozen=True, slots=True)
class Wish:
    """What the reader asks for.

    Attributes:
        text: In the name or the address.
        open_now: Only what is certainly open.
        kind: One of `PlaceKind`, or empty.
        offer: Code of one offer, or empty.
    """

    text: str = ""
    open_now: bool = False
    kind: str = ""
    offer: str = ""

    @classmethod
    def read(cls, query: QueryDict) -> Wish:
        """From the page's address; what cannot be understood is left out, for an address may be old or mistyped."""
        kind = query.get("kind", "")
        return cls(
            text=query.get("q", "").strip().replace("\x00", "")[:LONGEST_SEARCH],
            open_now=query.get("open") == "now",
            kind=kind if kind in PlaceKind.values else "",
            offer=query.get("offer", "")[:40].replace("\x00", ""),
        )

    @property
    def address(self) -> str:
        """The page's address for this wish."""
        parts = {"q": self.text, "open": "now" if self.open_now else "", "kind": self.kind, "offer": self.offer}
        query = urlencode({name: value for name, value in parts.items() if value})
        return f"/?{query}" if query else "/"


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter as a big button: what it is called, where it leads, whether it is on."""

    label: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One place in the list; `tone` repeats the words of `state`."""

    place: Place
    state: str
    tone: str


def found(wish: Wish, at: datetime) -> QuerySet[Place]:
    """The published places that answer the wish."""
    places = Place.published.select_related("union").order_by("union__path", "name", "pk")
    if wish.text:
        places = places.filter(Q(name__icontains=wish.text) | Q(address__icontains=wish.text))
    if wish.kind:
        places = places.filter(kind=wish.kind)
    if wish.offer:
        places = places.filter(offers__kind__code=wish.offer).distinct()
    if wish.open_now:
        # There are far fewer ways to be open than places.
        ways = places.order_by().values_list("hours", flat=True).distinct()
        places = places.filter(hours__in=[way for way in ways if state_at(way, at).state is Openness.YES])
    return places.prefetch_related(Prefetch("offers", Offer.published.select_related("kind")))


def page_of(wish: Wish, number: Any, at: datetime) -> Page[Place]:
    """One page of what is found; a page that does not exist is the nearest that does."""
    return Paginator(found(wish, at), A_PAGE).get_page(number)


def entries(places: Iterable[Place], at: datetime) -> list[Entry]:
    """Places with their state in words."""
    return [_entry(place, at) for place in places]


def _entry(place: Place, at: datetime) -> Entry:
    state = state_at(place.hours, at)
    if state.state is Openness.YES:
        soon = state.changes_at is not None and state.changes_at - at <= CLOSES_SOON
        tone = "warn" if soon else "good"
    else:
        tone = "neutral"
    return Entry(place, capfirst(state_in_words(state, at)), tone)


def choices(wish: Wish) -> list[Choice]:
    """Open now, then kinds."""
    return [
        Choice(_("Open now"), replace(wish, open_now=not wish.open_now).address, wish.open_now),
        *(
            Choice(
                str(kind.label), replace(wish, kind="" if wish.kind == kind else kind.value).address, wish.kind == kind
            )
            for kind in PlaceKind
            if kind is not PlaceKind.OTHER
        ),
    ]


def offer_choices(wish: Wish) -> list[Choice]:
    """The services that published places offer, in the order of the vocabulary."""
    used = Offer.published.order_by().values("kind")
    known: dict[str, Choice] = {}
    for kind in OfferKind.objects.filter(pk__in=used):
        chosen = wish.offer == kind.code
        known.setdefault(kind.code, Choice(kind.name, replace(wish, offer="" if chosen else kind.code).address, chosen))
    return list(known.values())


def vocabulary() -> dict[str, str]:
    """The words of the places room that the page's script needs: kinds, offers, and states as sentences with gaps.

    The sentences are those of `places.hours.words`, whose catalogue translates them; here only their gaps are renamed.
    """
    said = {f"kind_{kind.value}": str(kind.label) for kind in PlaceKind}
    said |= {
        f"offer_{kind.code}": kind.name for kind in OfferKind.objects.filter(pk__in=Offer.published.values("kind"))
    }
    said["comma"] = pgettext("between offers", ", ")
    phrase = gettext  # under another name, so that the sentences stay in the catalogue of their own room
    when = {
        "today": phrase("at %(time)s"),
        "tomorrow": phrase("tomorrow at %(time)s"),
        "later": phrase("on %(month)d/%(day)d at %(time)s"),
    }
    for state, alone, changing in (
        ("open", "open now", "open now, closes %(when)s"),
        ("closed", "closed now", "closed now, opens %(when)s"),
    ):
        said[f"state_{state}"] = capfirst(phrase(alone))
        said |= {
            f"state_{state}_{day}": capfirst(_gaps(phrase(changing))).replace("{when}", _gaps(at))
            for day, at in when.items()
        }
    said["state_unknown"] = capfirst(phrase("open or not is unknown"))
    return said


def _gaps(sentence: str) -> str:
    """`%(time)s` as `{time}`, which the script fills in."""
    return re.sub(r"%\((\w+)\)[sd]", r"{\1}", sentence)
