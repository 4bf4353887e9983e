"""The list beside the map as the server makes it: published places by what the reader asks, without a position.

All of it comes from the index in memory (`places.directory`): one small question to the database says whether the index
still holds. The page's script adds distances and sorts by them; without script the list is in the order of unions and
names, or by how well a text is answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, overload

from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.template.loader import get_template
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, pgettext
from django.utils.translation import gettext as _

from yizhan.places.directory import current_index
from yizhan.places.hours import Openness, OpenState, state_in_words
from yizhan.places.index import Line, Narrowing, PlaceIndex, as_utc
from yizhan.places.models import OfferKind, PlaceKind
from yizhan.places.paging import part_of
from yizhan.places.queries.public import offer_kinds

A_PAGE = 20
CLOSES_SOON = timedelta(minutes=30)
LONGEST_SEARCH = 60


@dataclass(frozen=True, slots=True)
class Wish:
    """What the reader asks for.

    Attributes:
        text: In the name, the district or the address; Chinese, pinyin or initials.
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

    @property
    def narrowing(self) -> Narrowing:
        """The same for the index, without the text."""
        return Narrowing(self.open_now, (self.kind,) if self.kind else (), (self.offer,) if self.offer else ())


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter as a big button: what it is called, where it leads, whether it is on."""

    label: str
    url: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """One place in the list; `tone` repeats the words of `state`."""

    public_id: str
    name: str
    kind: str
    address: str
    lon: float
    lat: float
    offers: str
    state: str
    tone: str


class Found(Sequence[int]):
    """The published places that answer a wish, in order, by their index in the snapshot; sorted as far as read."""

    def __init__(self, index: PlaceIndex, wish: Wish, at: datetime) -> None:
        self.directory = index
        self._wish, self._at_s = wish, int(at.timestamp())
        self._line: Line | None = None
        if wish.text:
            self._line = index.search(wish.text, wish.narrowing, at_s=self._at_s)
            self._count = len(self._line.places)
        else:
            self._rows = index.in_listing_order(wish.narrowing, at_s=self._at_s)
            self._count = len(self._rows)

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, item: int) -> int: ...
    @overload
    def __getitem__(self, item: slice) -> list[int]: ...
    def __getitem__(self, item: int | slice) -> int | list[int]:
        if isinstance(item, slice):
            start, stop, _step = item.indices(self._count)
            return self._between(start, stop)
        return self._between(item, item + 1)[0]

    def _between(self, start: int, stop: int) -> list[int]:
        if self._line is None:
            rows: list[int] = self._rows[start:stop].tolist()
            return rows
        return part_of(self.directory, self._line, limit=max(stop, 1)).places[start:stop]


def found(wish: Wish, at: datetime) -> Found:
    """The published places that answer the wish."""
    return Found(current_index(), wish, at)


def page_of(places: Found, number: Any) -> Page[int]:
    """One page of what is found; a page that does not exist is the nearest that does."""
    return Paginator(places, A_PAGE).get_page(number)


@dataclass(slots=True)
class _Kept:
    """What was made from one index: the vocabulary, and rows of the list for a minute and a language."""

    index: PlaceIndex
    kinds: dict[str, OfferKind]
    used: list[OfferKind]
    minute: int = 0
    rows: dict[tuple[str, int], SafeString] | None = None


_kept: _Kept | None = None


def _kept_for(index: PlaceIndex) -> _Kept:
    global _kept
    kept = _kept
    if kept is None or kept.index is not index:
        kinds = offer_kinds()
        in_use = {code for row, code in enumerate(index.snapshot.offer_codes) if index.snapshot.offers[row].any()}
        used = sorted(
            (kind for code, kind in kinds.items() if code in in_use), key=lambda kind: (kind.order, kind.code)
        )
        kept = _kept = _Kept(index, kinds, used)
    return kept


def rows(index: PlaceIndex, places: Iterable[int], at: datetime) -> list[SafeString]:
    """Places as rows of the list, in the reader's language; a row is made once a minute."""
    kept, minute, language = _kept_for(index), int(at.timestamp()) // 60, get_language() or ""
    made = kept.rows
    if made is None or kept.minute != minute:
        made = {}
        kept.minute, kept.rows = minute, made
    template = get_template("web/parts/place_entry.html")
    shown: list[SafeString] = []
    for place in places:
        row = made.get((language, place))
        if row is None:
            row = made[language, place] = SafeString(template.render({"entry": entry(index, place, at)}))
        shown.append(row)
    return shown


def entry(index: PlaceIndex, place: int, at: datetime) -> Entry:
    """One place with its state in words."""
    snapshot, moment = index.snapshot, index.moment(int(at.timestamp()))
    state = OpenState(moment.state(place), as_utc(int(moment.changes_s[place])))
    if state.state is Openness.YES:
        soon = state.changes_at is not None and state.changes_at - at <= CLOSES_SOON
        tone = "warn" if soon else "good"
    else:
        tone = "neutral"
    kinds = _kept_for(index).kinds
    offered = sorted((kinds[code] for code in index.offers[place] if code in kinds), key=lambda kind: kind.order)
    return Entry(
        str(snapshot.public_ids[place]),
        snapshot.names[place],
        str(PlaceKind(snapshot.kinds[place]).label),
        snapshot.addresses[place],
        float(snapshot.lon[place]),
        float(snapshot.lat[place]),
        pgettext("between offers", ", ").join(kind.name for kind in offered),
        capfirst(state_in_words(state, at)),
        tone,
    )


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


def offer_choices(wish: Wish, index: PlaceIndex | None = None) -> list[Choice]:
    """The services that published places offer, in the order of the vocabulary."""
    return [
        Choice(
            kind.name,
            replace(wish, offer="" if wish.offer == kind.code else kind.code).address,
            wish.offer == kind.code,
        )
        for kind in _kept_for(index or current_index()).used
    ]


def vocabulary(index: PlaceIndex | None = None) -> dict[str, str]:
    """The words of the places room that the page's script needs: kinds, offers, and states as sentences with gaps.

    The sentences are those of `places.hours.words`, whose catalogue translates them; here only their gaps are renamed.
    """
    said = {f"kind_{kind.value}": str(kind.label) for kind in PlaceKind}
    said |= {f"offer_{kind.code}": kind.name for kind in _kept_for(index or current_index()).used}
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
