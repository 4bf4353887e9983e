"""What partners show is found out from their own exports, and remembered with its evidence."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.utils import timezone
from django_scopes import scope
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from pytest_django import Settings
from typer.testing import CliRunner

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.commands import app
from yizhan.feeds.matching import OurPlace, TheirPlace, compare, likeness
from yizhan.feeds.models import Evidence, EvidenceKind, Finding, Listing, ListingState, Partner, PartnerExport
from yizhan.feeds.services.proof import Saying, forget_old_pushes, hear, note_taken_down, watch_red_list
from yizhan.feeds.services.reconciling import reconcile
from yizhan.geo import Datum, convert
from yizhan.places.models import Place
from yizhan.places.services import close_place
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import InboxMessage
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

from .pushes import Clock, Receiver, a_partner, listing, push, serving, verify

METRE = 1 / 111_195  # degrees of latitude


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with serving(Receiver()) as made:
        yield made


@pytest.fixture
def partner(tree: UnionTree, receiver: Receiver) -> Partner:
    return a_partner(tree.zhengzhou, address=receiver.url, datum="GCJ-02").partner


@pytest.fixture
def places(make_place: PlaceMaker, tree: UnionTree) -> list[Place]:
    names = ["枫杨街驿站", "科学大道驿站", "棉纺路暖心驿站", "火车站西广场驿站", "碧沙岗公园驿站", "五一公园驿站"]
    made = [
        make_place(tree.zhongyuan, name=name, lon=113.60 + number * 0.02, lat=34.75)
        for number, name in enumerate(names)
    ]
    verify(*made)
    return made


Line = tuple[str, str, float, float]


def a_line(place: Place, *, number: str | None = None, name: str | None = None, north_m: float = 0) -> Line:
    lon, lat = convert(place.lon, place.lat + north_m * METRE, source=Datum.WGS84, target=Datum.GCJ02)
    return (str(place.public_id) if number is None else number, name or place.name, lon, lat)


def as_csv(lines: list[Line]) -> bytes:
    return "\n".join(["编号,名称,经度,纬度", *(",".join(map(str, line)) for line in lines)]).encode()


def as_geojson(lines: list[Line]) -> bytes:
    features = [
        {
            "type": "Feature",
            "id": number,
            "properties": {"name": name},
            "geometry": {"type": "Point", "coordinates": [lon, lat]},
        }
        for number, name, lon, lat in lines
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def as_xlsx(lines: list[Line]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in [("编号", "名称", "经度", "纬度"), *lines]:
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def kinds(export: PartnerExport) -> dict[str, str]:
    return {
        found.listing.place.name if found.listing else found.their_name: found.kind
        for found in Finding.every.filter(export=export).select_related("listing__place")
    }


@pytest.mark.parametrize("form", [as_csv, as_geojson, as_xlsx])
def test_what_is_missing_moved_renamed_merged_or_still_shown_is_found_in_any_format_and_datum(
    form: object, places: list[Place], partner: Partner, post: PostMaker, tree: UnionTree
) -> None:
    push(Clock(timezone.now().timestamp()))
    right, moved, renamed, missing, closed, unnumbered = places
    close_place(closed, actor=post(tree.zhongyuan))
    push(Clock(timezone.now().timestamp()))
    lines = [
        a_line(right, north_m=30),
        a_line(moved, north_m=120),
        a_line(renamed, name="美宜佳便利店"),
        a_line(closed),
        a_line(unnumbered, number="B0FFG1", name="五一公园工会驿站", north_m=20),
        ("B0FFG2", "某某饭店", 113.9, 34.9),
    ]
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        export = reconcile(form(lines), file_name="x", partner=partner, actor=OPERATOR)  # type: ignore[operator]

    assert kinds(export) == {
        moved.name: "moved",
        renamed.name: "renamed",
        missing.name: "missing",
        closed.name: "still_shown",
        "某某饭店": "unknown",
    }
    assert (export.lines, export.matched, export.right, export.unreadable) == (6, 5, 2, 0)
    states = {each.place.name: each.state for each in Listing.every.select_related("place")}
    assert states == {
        right.name: ListingState.LIVE,
        unnumbered.name: ListingState.LIVE,
        moved.name: ListingState.STALE,
        renamed.name: ListingState.STALE,
        missing.name: ListingState.STALE,
        closed.name: ListingState.STALE,
    }
    found = listing(partner, moved)
    assert 115 <= found.found["metres"] <= 125
    proof = Evidence.every.filter(listing=found).first()
    assert proof is not None
    assert (proof.kind, proof.export, proof.line) == (EvidenceKind.FOUND_WRONG, export, 2 if form is as_geojson else 3)
    assert listing(partner, closed).red_until is not None
    assert listing(partner, unnumbered).their_id == "B0FFG1"


def test_what_was_found_wrong_goes_to_the_partner_once_more(
    places: list[Place], partner: Partner, receiver: Receiver
) -> None:
    push(Clock(timezone.now().timestamp()))
    receiver.got.clear()
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        reconcile(as_csv([a_line(place) for place in places[1:]]), file_name="x", partner=partner, actor=OPERATOR)
        push(Clock(timezone.now().timestamp()))
    assert [event["subject"] for event in receiver.events()] == [str(places[0].public_id)]
    assert listing(partner, places[0]).state == ListingState.ACCEPTED


def test_a_place_that_the_partner_took_for_its_neighbour_is_merged(
    make_place: PlaceMaker, tree: UnionTree, partner: Partner
) -> None:
    one = make_place(tree.zhongyuan, name="枫杨街驿站", lon=113.60, lat=34.75)
    two = make_place(tree.zhongyuan, name="司机之家", lon=113.60, lat=34.75 + 20 * METRE)
    verify(one, two)
    push(Clock(timezone.now().timestamp()))
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        export = reconcile(as_csv([a_line(one)]), file_name="x", partner=partner, actor=OPERATOR)
    assert kinds(export) == {"司机之家": "merged"}
    assert listing(partner, two).state == ListingState.MERGED
    assert listing(partner, two).found["with"] == "枫杨街驿站"


def test_an_export_older_than_what_was_sent_is_not_held_against_the_partner(
    places: list[Place], partner: Partner
) -> None:
    push(Clock(timezone.now().timestamp()))
    before = timezone.now() - timedelta(hours=2)
    export = reconcile(as_csv([a_line(places[0])]), file_name="x", partner=partner, actor=OPERATOR, taken_at=before)
    assert kinds(export) == {}
    assert set(Listing.every.values_list("state", flat=True)) == {ListingState.ACCEPTED}


def test_lines_without_a_position_are_counted_and_skipped(places: list[Place], partner: Partner) -> None:
    push(Clock(timezone.now().timestamp()))
    content = as_csv([a_line(place) for place in places]) + "\nx,没有坐标,,\ny,坏坐标,abc,1e999\n".encode()
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        export = reconcile(content, file_name="x", partner=partner, actor=OPERATOR)
    assert (export.unreadable, export.right) == (2, len(places))


def test_the_command_compares_and_says_what_it_found(places: list[Place], partner: Partner, tmp_path: object) -> None:
    push(Clock(timezone.now().timestamp()))
    file = tmp_path / "export.csv"  # type: ignore[operator]
    file.write_bytes(as_csv([a_line(places[0])]))
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        result = CliRunner().invoke(app, ["reconcile", str(file), "--partner", str(partner.public_id), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["lines"], told["right"], told["findings"]) == (1, 1, {"missing": 5})
    file.write_bytes(b"nonsense")
    assert CliRunner().invoke(app, ["reconcile", str(file), "--partner", str(partner.public_id)]).exit_code == 1


def test_the_red_list_reminds_when_a_place_comes_there_and_when_its_deadline_has_passed(
    places: list[Place], partner: Partner, receiver: Receiver, tree: UnionTree, post: PostMaker
) -> None:
    cadre, above = post(tree.zhongyuan, Role.CADRE), post(tree.zhengzhou)
    push(Clock(timezone.now().timestamp()))
    close_place(places[0], actor=post(tree.zhongyuan))
    receiver.status = 500
    push(Clock(timezone.now().timestamp()))
    now = timezone.now()
    assert watch_red_list(now=now + timedelta(hours=1)) == 0
    assert watch_red_list(now=now + timedelta(hours=25)) == 1
    assert watch_red_list(now=now + timedelta(hours=26)) == 0
    assert watch_red_list(now=now + timedelta(days=5)) == 1
    assert watch_red_list(now=now + timedelta(days=9)) == 0
    with scope(union=tree.henan.path):
        assert InboxMessage.objects.filter(post=cadre).count() == 2
        assert InboxMessage.objects.filter(post=above).count() == 1

    found = listing(partner, places[0])
    hear(partner, [Saying(places[0].public_id, "gone")])
    found.refresh_from_db()
    assert (found.state, found.red_since, found.is_waiting) == (ListingState.WITHDRAWN, None, False)


def test_a_partner_may_say_that_a_place_is_live_gone_or_refused_and_nothing_else(
    places: list[Place], partner: Partner, tree: UnionTree, post: PostMaker
) -> None:
    push(Clock(timezone.now().timestamp()))
    live, gone, refused, closed = places[:4]
    close_place(closed, actor=post(tree.zhongyuan))
    push(Clock(timezone.now().timestamp()))
    hear(
        partner,
        [
            Saying(live.public_id, "live", "B1"),
            Saying(gone.public_id, "gone"),
            Saying(refused.public_id, "refused", note="not a shop"),
            Saying(closed.public_id, "live"),
        ],
    )
    states = {place: listing(partner, place) for place in (live, gone, refused, closed)}
    assert states[live].state == ListingState.LIVE
    assert (states[gone].state, states[gone].is_waiting) == (ListingState.STALE, True)
    assert (states[refused].died_at is None, states[refused].last_answer) == (False, "not a shop")
    assert (states[closed].finding, states[closed].red_since is None) == ("still_shown", False)
    with pytest.raises(RuleBroken) as broken:
        hear(partner, [Saying(live.public_id, "nonsense"), Saying(partner.public_id, "live")])
    assert [problem.field for problem in broken.value.problems] == ["places.0.state", "places.1.place"]
    with pytest.raises(NotAllowed):
        note_taken_down(staff=post(tree.jinshui), listing=states[closed])
    with pytest.raises(RuleBroken):
        note_taken_down(staff=post(tree.zhongyuan), listing=states[live])


def test_evidence_is_not_changed_and_is_forgotten_after_its_time(places: list[Place], partner: Partner) -> None:
    push(Clock(timezone.now().timestamp()))
    with pytest.raises(DatabaseError), transaction.atomic():
        Evidence.every.update(answer="something else")
    assert forget_old_pushes(now=timezone.now() + timedelta(days=300)) == 0
    assert forget_old_pushes(now=timezone.now() + timedelta(days=500)) == len(places) + 1


@pytest.mark.parametrize(
    ("ours", "theirs", "alike"),
    [
        ("枫杨街工会驿站", "工会驿站（枫杨街）", True),
        ("中原区总工会户外劳动者服务站点(棉纺路)", "棉纺路驿站", False),
        ("科学大道驿站", "科学大道 驿站", True),
        ("火车站西广场驿站", "火车站東广场驿站", True),
        ("枫杨街驿站", "美宜佳便利店", False),
    ],
)
def test_names_are_compared_without_what_all_stations_are_called(ours: str, theirs: str, alike: bool) -> None:
    assert (likeness(ours, theirs) >= 70) is alike


_NAMES = st.text("甲乙丙丁戊己庚辛", min_size=2, max_size=6)
_SPOTS = st.tuples(_NAMES, st.floats(113.5, 113.7), st.floats(34.7, 34.8), st.booleans())


@settings(max_examples=60, deadline=None)
@given(st.lists(_SPOTS, max_size=12), st.lists(_SPOTS, max_size=12))
def test_each_of_our_places_gets_one_verdict_and_no_line_is_two_places(
    ours: list[tuple[str, float, float, bool]], theirs: list[tuple[str, float, float, bool]]
) -> None:
    places = [OurPlace(n, f"our-{n}", "", name, x, y, wanted) for n, (name, x, y, wanted) in enumerate(ours)]
    lines = [
        TheirPlace(n + 2, f"our-{n}" if numbered else "", f"t{n}", name, x, y)
        for n, (name, x, y, numbered) in enumerate(theirs)
    ]
    verdicts = compare(places, lines)
    judged = [verdict.ours.key for verdict in verdicts if verdict.ours is not None]
    assert judged == list(range(len(places)))
    used = [verdict.theirs.line for verdict in verdicts if verdict.theirs is not None]
    assert len(used) == len(set(used))
    assert {line.line for line in lines} == set(used)
    for verdict in verdicts:
        if verdict.ours is not None and not verdict.ours.is_wanted:
            assert verdict.kind in {"", "still_shown"}
            assert (verdict.kind == "still_shown") == (verdict.theirs is not None)


def test_a_partner_that_reads_itself_gets_nothing_and_is_judged_by_its_export(
    places: list[Place], tree: UnionTree, post: PostMaker
) -> None:
    reader = a_partner(tree.zhengzhou, name="自己读", carrier="none").partner
    assert push(Clock(timezone.now().timestamp())) == 0
    assert set(Listing.every.values_list("state", "is_waiting")) == {(ListingState.SENT, False)}
    lines = [(str(place.public_id), place.name, place.lon, place.lat) for place in places[1:]]
    close_place(places[1], actor=post(tree.zhongyuan))
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        assert push(Clock(timezone.now().timestamp())) == 0
        export = reconcile(as_csv(lines), file_name="x", partner=reader, actor=OPERATOR, datum="WGS-84")
    assert kinds(export) == {places[0].name: "missing", places[1].name: "still_shown"}
    assert not Listing.every.filter(is_waiting=True).exists()
