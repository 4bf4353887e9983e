"""Reading a file of places into the directory: all good rows in one transaction, all bad rows back with reasons."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yizhan.geo import Datum, haversine_m
from yizhan.places.actions import PLACES_IMPORTED
from yizhan.places.importing.columns import Mapping, check_mapping, guess_mapping
from yizhan.places.importing.geography import Neighbours, check_districts
from yizhan.places.importing.report import Flag, ImportReport, Outcome
from yizhan.places.importing.rows import Reading, read_row
from yizhan.places.importing.table import Table, read_table
from yizhan.places.models import ImportRun, Offer, OfferKind, Place, PlaceKind, PlaceStatus
from yizhan.places.rights import IMPORT_PLACES, PUBLISH_PLACES
from yizhan.places.rules import checked_datum
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.rights import Operator, policy

from .notification import announce
from .offers import paths_down_to, vocabulary

Progress = Callable[[int, int], None]
_BATCH = 1000
_TOLD = ("name", "address", "district", "hours", "contact", "kind")


def import_places(
    content: bytes,
    *,
    file_name: str,
    union: Union,
    actor: Staff | Operator,
    datum: object = None,
    mapping: Mapping | None = None,
    encoding: str | None = None,
    kind: str = PlaceKind.STATION,
    source: str | None = None,
    publish: bool = False,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport:
    """Read a file into the directory of `union`: all good rows in one transaction, the others are in the report.

    Args:
        content: The file.
        file_name: Its name; also names the source, unless `source` does.
        union: To which the places belong.
        actor: Who does it.
        datum: Of the positions: WGS-84, GCJ-02 or BD-09. May be left out only when a column says it for each row.
        mapping: Which column holds what; guessed from the headers when not given.
        encoding: Of a CSV file; found out when not given.
        kind: Of places whose row does not say.
        source: Where the file comes from. With the file's own numbers it tells which place a row was before.
        publish: Let everyone see the new places at once, save those whose position is in doubt.
        dry_run: Only say what would happen.
        progress: Called with rows done and rows in all.

    Raises:
        NotAllowed: `actor` may not import (or, with `publish`, not publish) at this union.
        RuleBroken: the file as a whole cannot be read, or does not say its datum. Nothing was written.
    """
    policy.require(actor, IMPORT_PLACES, union)
    if publish:
        policy.require(actor, PUBLISH_PLACES, union)
    table = read_table(content, file_name=file_name, encoding=encoding)
    given = checked_datum(datum) if datum else None
    columns = mapping if mapping is not None else guess_mapping(table.headers, given)
    if given is None and "datum" not in columns:
        checked_datum("")  # refuses, saying what to do
    check_mapping(columns, table.headers, given)
    if kind not in PlaceKind.values:
        raise RuleBroken.at("kind", kind, _("Choose one of: %(kinds)s.") % {"kinds": ", ".join(PlaceKind.values)})
    source = (source or _stem(file_name))[:40]
    readings = _read_rows(table, columns, given, kind, union, progress)
    check_districts([reading for reading in readings if reading.columns], _division(union))
    report = ImportReport(file_name, table, [reading.report for reading in readings], list(table.remarks), dry_run)
    run = ImportRun(
        union=union,
        digest=_digest(content, union, given, columns, encoding, kind, source),
        file_name=file_name[:200],
        datum=given.value if given else "",
    )
    with transaction.atomic():
        # Two imports into one union wait for each other, so that each sees what the other wrote.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('places.import'), %s)", [union.pk])
        earlier = ImportRun.objects.with_scopes_disabled().filter(union=union, digest=run.digest).first()
        if earlier is not None:
            report.already_imported_at = earlier.at
            if not dry_run:
                report.rows = []
                return report
        plan = _Plan(readings, union, source, columns)
        plan.compare()
        if not dry_run:
            report.published = plan.write(publish=publish)
            _keep(run, report, actor)
    return report


class _Plan:
    """What each row means for the places that are already there."""

    def __init__(self, readings: Sequence[Reading], union: Union, source: str, mapping: Mapping) -> None:
        self.readings = readings
        self.union = union
        self.source = source
        self.mapping = mapping
        self.create: list[tuple[Reading, Place]] = []
        self.change: list[tuple[Reading, Place, list[str]]] = []

    def compare(self) -> None:
        """Sort the rows into new, changed, unchanged and duplicate."""
        here = list(
            Place.objects.with_scopes_disabled()
            .filter(union__path__startswith=self.union.path)
            .exclude(status=PlaceStatus.CLOSED)
        )
        mine = Place.objects.with_scopes_disabled().filter(union=self.union, source=self.source)
        by_source_id = {place.source_id: place for place in mine if place.source_id}
        by_name = {place.name: place for place in here}
        neighbours = Neighbours()
        neighbours.extend((place.lon, place.lat, place.name) for place in here)
        neighbours.extend(self._published_elsewhere())
        lines_by_name: dict[str, int] = {}
        lines_by_source_id: dict[str, int] = {}
        for reading in self.readings:
            report, columns = reading.report, reading.columns
            if columns is None or report.outcome is Outcome.REFUSED:
                continue
            name = columns["name"]
            if name in lines_by_name:
                report.refuse(_("Same name as line %(line)d.") % {"line": lines_by_name[name]})
                continue
            if reading.source_id and reading.source_id in lines_by_source_id:
                report.refuse(
                    _("Same number at the source as line %(line)d.") % {"line": lines_by_source_id[reading.source_id]}
                )
                continue
            lines_by_name[name] = report.line
            lines_by_source_id[reading.source_id] = report.line
            before = by_source_id.get(reading.source_id) if reading.source_id else None
            same_name = by_name.get(name)
            if before is not None:
                self._again(reading, before, same_name)
            elif same_name is not None:
                self._same_name(reading, same_name)
            else:
                self._new(reading, neighbours)

    def write(self, *, publish: bool) -> int:
        """Store the new and the changed; returns how many were published."""
        now = timezone.now()
        published = 0
        for reading, place in self.create:
            if publish and not reading.report.is_doubtful:
                place.status, place.published_at = PlaceStatus.PUBLISHED, now
                published += 1
        Place.objects.with_scopes_disabled().bulk_create([place for _, place in self.create], batch_size=_BATCH)
        changed_public = False
        for _reading, place, names in self.change:
            place.revision += 1
            place.save(update_fields=[*names, "revision", "changed_at"])
            changed_public = changed_public or place.is_published
        self._write_offers()
        if published or changed_public:
            announce()
        return published

    def _published_elsewhere(self) -> list[tuple[float, float, str]]:
        positions = [reading.columns for reading in self.readings if reading.columns]
        if not positions:
            return []
        lon, lat = [columns["lon"] for columns in positions], [columns["lat"] for columns in positions]
        return list(
            Place.published.exclude(union__path__startswith=self.union.path)
            .filter(lon__range=(min(lon) - 0.001, max(lon) + 0.001), lat__range=(min(lat) - 0.001, max(lat) + 0.001))
            .values_list("lon", "lat", "name")
        )

    def _new(self, reading: Reading, neighbours: Neighbours) -> None:
        columns = reading.columns or {}
        if near := neighbours.near(columns["lon"], columns["lat"]):
            reading.report.flags[Flag.NEAR_ANOTHER] = _("%(metres)d m from “%(name)s”: the same place?") % {
                "metres": near[1],
                "name": near[0],
            }
        neighbours.add(columns["lon"], columns["lat"], columns["name"])
        place = Place(union=self.union, source=self.source, source_id=reading.source_id, **columns)
        self.create.append((reading, place))

    def _again(self, reading: Reading, before: Place, same_name: Place | None) -> None:
        if before.is_closed:
            reading.report.outcome = Outcome.UNCHANGED
            reading.report.flags[Flag.CLOSED_PLACE] = _("This place is closed for good and was left alone.")
        elif same_name is not None and same_name.pk != before.pk:
            reading.report.refuse(_("Another place of the union already has this name."))
        elif names := self._differences(reading, before):
            reading.report.outcome = Outcome.CHANGED
            self.change.append((reading, before, names))
        else:
            reading.report.outcome = Outcome.UNCHANGED

    def _same_name(self, reading: Reading, place: Place) -> None:
        if self._differences(reading, place, assign=False):
            reading.report.refuse(_("A place with this name is already in the directory."))
        else:
            reading.report.outcome = Outcome.UNCHANGED

    def _differences(self, reading: Reading, place: Place, *, assign: bool = True) -> list[str]:
        """The columns in which the row differs from the place, which takes them over when `assign`."""
        columns = dict(reading.columns or {})
        told = {name for name in _TOLD if name in self.mapping}
        if reading.facts is not None and not reading.facts.district:
            told.discard("district")  # it was filled in from the outline; an empty cell says nothing
        names: list[str] = [name for name in sorted(told) if getattr(place, name) != columns[name]]
        if haversine_m(place.lon, place.lat, columns["lon"], columns["lat"]) > 0.2:
            names += ["lon", "lat", "datum_given", "position_source"]
        if assign:
            for name in names:
                setattr(place, name, columns[name])
        return names

    def _write_offers(self) -> None:
        if "offers" not in self.mapping:
            return
        kinds = {kind.code: kind for kind in vocabulary(self.union)}
        told = [(reading, place) for reading, place in self.create]
        told += [(reading, place) for reading, place, _names in self.change]
        Offer.objects.with_scopes_disabled().filter(place__in=[place for _r, place, _n in self.change]).delete()
        Offer.objects.bulk_create(
            [
                Offer(place=place, kind=kinds[code])
                for reading, place in told
                for code in (reading.facts.offers if reading.facts else ())
            ],
            batch_size=_BATCH,
        )


def _keep(run: ImportRun, report: ImportReport, actor: Staff | Operator) -> None:
    """Remember the run and tell the trail, unless no row went in: then the file may come again."""
    run.created, run.changed = report.count(Outcome.CREATED), report.count(Outcome.CHANGED)
    run.unchanged, run.refused = report.count(Outcome.UNCHANGED), report.count(Outcome.REFUSED)
    run.flagged = len(report.flagged)
    if run.created + run.changed + run.unchanged == 0:
        return
    run.save()
    counts = {name: getattr(run, name) for name in ("created", "changed", "unchanged", "refused", "flagged")}
    record(
        actor,
        PLACES_IMPORTED,
        union=run.union,
        target=run,
        details={**counts, "published": report.published, "datum": run.datum},
    )


def _read_rows(
    table: Table, mapping: Mapping, datum: Datum | None, kind: str, union: Union, progress: Progress | None
) -> list[Reading]:
    words = _words(vocabulary(union))
    readings: list[Reading] = []
    for done, row in enumerate(table.rows, start=1):
        readings.append(read_row(row, mapping, datum=datum, kind=kind, words=words))
        if progress is not None and (done % 100 == 0 or done == len(table.rows)):
            progress(done, len(table.rows))
    return readings


def _words(kinds: Sequence[OfferKind]) -> dict[str, str]:
    return {name.casefold(): kind.code for kind in kinds for name in (kind.name_en, kind.name_zh, kind.code)}


def _division(union: Union) -> str:
    """The division code of the union, or of the nearest above that has one."""
    line = Union.objects.filter(path__in=paths_down_to(union)).order_by("-depth")
    return next((node.division_code for node in line if node.division_code), "")


def _digest(content: bytes, *reading: Any) -> str:
    """Of the file and of everything that decides how it is read."""
    plain = [part.pk if isinstance(part, Union) else str(part) for part in reading]
    return hashlib.sha256(hashlib.sha256(content).digest() + msgspec.json.encode(plain)).hexdigest()


def _stem(file_name: str) -> str:
    return file_name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0]
