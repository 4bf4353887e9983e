"""Reading a file of places into the directory: all good rows in one transaction, all bad rows back with reasons."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils.translation import gettext as _

from yizhan.geo import Datum
from yizhan.places.actions import PLACES_IMPORTED
from yizhan.places.importing.columns import Mapping, check_mapping, guess_mapping
from yizhan.places.importing.geography import check_districts
from yizhan.places.importing.report import ImportReport, Outcome
from yizhan.places.importing.rows import Reading, read_row
from yizhan.places.importing.table import Table, read_table
from yizhan.places.models import ImportRun, PlaceKind
from yizhan.places.rights import IMPORT_PLACES, PUBLISH_PLACES
from yizhan.places.rules import checked_datum
from yizhan.places.vocabulary import OTHER_NAMES
from yizhan.unions.audit import record
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Union
from yizhan.unions.queries.tree import union_called
from yizhan.unions.rights import Operator, policy

from .import_plan import Plan
from .offers import paths_down_to, vocabulary

Progress = Callable[[int, int], None]


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
    columns = mapping if mapping is not None else guess_mapping(table.headers, given, offer_words(union))
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
        plan = Plan(readings, union, source, columns)
        plan.compare()
        if not dry_run:
            report.published = plan.write(publish=publish)
            _keep(run, report, actor)
    return report


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
    words = offer_words(union)
    unions = _Unions(union)
    readings: list[Reading] = []
    for done, row in enumerate(table.rows, start=1):
        readings.append(read_row(row, mapping, datum=datum, kind=kind, words=words, union_called=unions.called))
        if progress is not None and (done % 100 == 0 or done == len(table.rows)):
            progress(done, len(table.rows))
    return readings


def offer_words(union: Union) -> dict[str, str]:
    """Codes of what may be offered at a union, by every name they go by."""
    kinds = vocabulary(union)
    known = {kind.code for kind in kinds}
    names = {name: code for code, others in OTHER_NAMES.items() if code in known for name in others}
    return names | {name.casefold(): kind.code for kind in kinds for name in (kind.name_en, kind.name_zh, kind.code)}


class _Unions:
    """Unions by the names that a file calls them; each name is looked up once.

    Of several that are called alike, the one that stands above or below the importing union is meant.
    """

    def __init__(self, near: Union) -> None:
        self._near = near
        self._known: dict[str, Union | RuleBroken] = {}

    def called(self, text: str) -> Union:
        if text not in self._known:
            try:
                self._known[text] = union_called(text, field="union")
            except RuleBroken as broken:
                self._known[text] = self._in_line(text) or broken
        found = self._known[text]
        if isinstance(found, RuleBroken):
            raise found
        return found

    def _in_line(self, text: str) -> Union | None:
        alike = Union.objects.filter(is_active=True, name__in=[text, f"{text}总工会"])
        path = self._near.path
        line = [union for union in alike if union.path.startswith(path) or path.startswith(union.path)]
        return line[0] if len(line) == 1 else None


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
