"""Files that tell everything of a place: door and parking, parties, entering, seats, equipment, offers in columns."""

from __future__ import annotations

import json
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from openpyxl import load_workbook
from typer.testing import CliRunner

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from tests.places.test_import import bring, csv, places, reasons
from yizhan.geo import Datum, convert
from yizhan.places.commands import app
from yizhan.places.importing import Flag, Outcome, guess_mapping
from yizhan.places.models import Equipment, Offer, Place
from yizhan.places.services import EquipmentFacts, add_equipment, import_places
from yizhan.unions.models import Union
from yizhan.unions.rights import OPERATOR

HEADER = (
    "站点名称,经度,纬度,联系电话,电话是否服务电话,进入方式,进入说明,服务对象,座位数,场地提供单位,运营工会,出资工会,"
    "入口经度,入口纬度,停车点经度,停车点纬度,设备,饮水,微波炉,充电"
)
ROW = (
    "甲站,113.60,34.75,13712345678,是,扫码,二楼左手,外卖骑手、快递员,20座,建设银行,中原区总工会,河南省总工会,"
    "113.6005,34.7503,113.6006,34.7501,微波炉（2026-10-01 起故障）；急救药箱（有效期至 2027-03-31）；雨伞架,有,√,无"
)


def full(union: Union, row: str = ROW, **options: Any) -> Any:
    return bring(csv(row, header=HEADER.replace("电话是否服务电话", "是否服务电话")), union, **options)


def offers(place: Place) -> set[str]:
    return set(Offer.objects.with_scopes_disabled().filter(place=place).values_list("kind__code", flat=True))


def test_one_row_tells_everything(tree: UnionTree) -> None:
    report = full(tree.zhengzhou, datum="GCJ-02")
    assert reasons(report) == []
    (place,) = places()
    assert (place.contact, place.contact_is_service) == ("13712345678", True)
    assert (place.access, place.access_note, place.capacity) == ("qr", "二楼左手", 20)
    assert (place.users, place.occupations) == ("occupations", ["food_rider", "courier"])
    assert (place.host, place.host_name) == (None, "建设银行")
    assert (place.operator, place.funder) == (tree.zhongyuan, tree.henan)
    door = convert(113.6005, 34.7503, source=Datum.GCJ02, target=Datum.WGS84)
    assert place.entrance == pytest.approx(door)
    assert place.parking is not None
    assert offers(place) == {"water", "microwave"}
    things = {thing.name: thing for thing in Equipment.objects.with_scopes_disabled().filter(place=place)}
    assert things["微波炉"].broken_since == date(2026, 10, 1)
    assert things["微波炉"].offer is not None
    assert things["急救药箱"].expires_on == date(2027, 4, 1)
    assert things["雨伞架"].is_usable


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("扫码", "翻窗", "翻窗"),
        ("外卖骑手、快递员", "外卖骑手、宇航员", "宇航员"),
        ("20座", "很多", "很多"),
        ("20座", "999999", "2000"),
        ("是,", "也许,", "也许"),
        ("中原区总工会", "不存在的工会", "运营工会"),
        ("113.6005,34.7503", "113.6005,", "没有填"),
        ("113.6005,34.7503", "113.9,34.7503", "入口"),
        ("2026-10-01", "2026-13-41", "2026-13-41"),
        ("2026-10-01", "2999-01-01", "2999-01-01"),
    ],
)
def test_what_cannot_be_understood_refuses_its_row(tree: UnionTree, old: str, new: str, said: str) -> None:
    with translation.override("zh-hans"):
        report = full(tree.zhengzhou, ROW.replace(old, new))
    assert said in "".join(reasons(report))
    assert not places()


def test_a_mark_that_says_neither_yes_nor_no_is_flagged(tree: UnionTree) -> None:
    header = "名称,经度,纬度,饮水,空调"
    report = bring(csv("甲站,113.60,34.75,2台,不清楚", header=header), tree.zhengzhou)
    assert Flag.UNKNOWN_OFFER in report.rows[0].flags
    assert offers(places()[0]) == {"water"}


def test_a_header_that_is_one_fields_own_name_is_no_others() -> None:
    headers = ["入口经度", "名称", "经度", "纬度", "服务对象", "入口纬度"]
    found = guess_mapping(headers, None)
    assert found == {"entrance_lon": 0, "name": 1, "lon": 2, "lat": 3, "users": 4, "entrance_lat": 5}


@pytest.fixture
def known(tree: UnionTree, make_place: PlaceMaker) -> list[Place]:
    """Places in which every fact says something, in unions of different height; two are called alike."""
    rich = make_place(
        tree.zhongyuan,
        name="同名驿站",
        lon=113.6,
        kind="repair_point",
        hours="Mo-Fr 08:00-20:00; PH off",
        contact="13712345678",
        contact_is_service=True,
        access="attendant",
        access_note="=走后门",
        users="occupations",
        occupations=("sanitation", "other"),
        capacity=12,
        host=tree.jinshui,
        operator=tree.shifo,
        funder=tree.henan,
        entrance=(113.6003, 34.7502),
        parking=(113.5998, 34.7501),
        offers=("water", "shower"),
        district="中原区",
    )
    today = date.today()  # noqa: DTZ011
    for thing in (
        EquipmentFacts(name="微波炉", offer="microwave", state="broken", broken_since=today - timedelta(days=3)),
        EquipmentFacts(name="灭火器（4kg）", expires_on=today + timedelta(days=90), note="门后"),
        EquipmentFacts(name="AED", state="broken", expires_on=today - timedelta(days=1)),
    ):
        add_equipment(rich, thing, actor=make_place.post(tree.zhongyuan))
    plain = make_place(tree.jinshui, name="同名驿站", lon=113.67, users="members", host_name="某银行")
    bare = make_place(tree.zhengzhou, lon=113.66, lat=34.76, publish=False)
    return [rich, plain, bare]


def state() -> list[Any]:
    return [
        (
            *(place.pk, place.revision, place.changed_at, place.union_id, offers(place)),
            list(Equipment.objects.with_scopes_disabled().filter(place=place).values()),
        )
        for place in Place.objects.with_scopes_disabled().order_by("pk")
    ]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_all_facts_go_out_and_come_back_unchanged(
    sign_in: Any, tree: UnionTree, post: PostMaker, known: list[Place], form: str, language: str
) -> None:
    before = state()
    client = sign_in(post(tree.zhengzhou))
    client.cookies["django_language"] = language
    answer = client.get(f"/desk/places/export.{form}")
    assert answer["X-Row-Count"] == "3"
    report = import_places(answer.content, file_name=f"back.{form}", union=tree.zhengzhou, actor=OPERATOR)
    assert reasons(report) == []
    assert [row.outcome for row in report.rows] == [Outcome.UNCHANGED] * 3
    assert state() == before


def test_what_was_corrected_in_an_export_changes_just_that_place(
    sign_in: Any, tree: UnionTree, post: PostMaker, known: list[Place]
) -> None:
    book = load_workbook(BytesIO(sign_in(post(tree.zhengzhou)).get("/desk/places/export.xlsx").content))
    sheet = book.active
    assert sheet is not None
    columns = {cell.value: cell.column for cell in sheet[1]}
    (line,) = [row[0].row for row in sheet.iter_rows(min_row=2) if str(row[0].value) == str(known[0].public_id)]
    for header, value in (
        ("座位数", 30),
        ("服务", "饮用水、淋浴、冰箱"),
        ("设备", "AED（2027-05-01 起停用）"),
        ("名称", "新名"),
    ):
        sheet.cell(line, columns[header], value)
    out = BytesIO()
    book.save(out)
    report = import_places(out.getvalue(), file_name="back.xlsx", union=tree.zhengzhou, actor=OPERATOR)
    assert sorted(row.outcome for row in report.rows) == [Outcome.CHANGED, Outcome.UNCHANGED, Outcome.UNCHANGED]
    place = Place.objects.with_scopes_disabled().get(pk=known[0].pk)
    assert (place.name, place.capacity, place.union, place.revision) == ("新名", 30, tree.zhongyuan, 3)
    assert offers(place) == {"water", "shower", "fridge"}
    things = {thing.name: thing for thing in Equipment.objects.with_scopes_disabled().filter(place=place)}
    assert things["AED"].expires_on == date(2027, 5, 1)
    assert not things["AED"].is_broken
    assert things["微波炉"].is_broken, "what the file does not name stays"


def test_a_neighbours_identifier_opens_nothing(tree: UnionTree, make_place: PlaceMaker) -> None:
    theirs = make_place(tree.shenzhen, name="别人的", lon=114.05, lat=22.54)
    report = bring(csv(f"{theirs.public_id},我的,113.6,34.75", header="标识,名称,经度,纬度"), tree.zhengzhou)
    assert [row.outcome for row in report.rows] == [Outcome.CREATED]
    theirs.refresh_from_db()
    assert (theirs.name, theirs.revision) == ("别人的", 2)


def test_the_geojson_tells_every_fact(sign_in: Any, tree: UnionTree, post: PostMaker, known: list[Place]) -> None:
    answer = sign_in(post(tree.zhengzhou)).get("/desk/places/export.geojson")
    features = {one["id"]: one for one in json.loads(answer.content)["features"]}
    assert answer["X-Row-Count"] == str(len(features)) == "3"
    told = features[str(known[0].public_id)]["properties"]
    assert told["entrance"] == [113.6003, 34.7502]
    assert (told["host"], told["operator"], told["funder"]) == ("金水区总工会", "石佛镇总工会", "河南省总工会")
    assert told["occupations"] == ["sanitation", "other"]
    assert {thing["name"] for thing in told["equipment"]} == {"微波炉", "灭火器（4kg）", "AED"}
    assert features[str(known[2].public_id)]["properties"]["parking"] is None


def test_exports_ask_the_database_a_fixed_number_of_times(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker, django_assert_max_num_queries: Any
) -> None:
    for _n in range(12):
        place = make_place(tree.zhengzhou, offers=("water",))
        add_equipment(place, EquipmentFacts(name="微波炉", offer="microwave"), actor=make_place.post(tree.zhengzhou))
    client = sign_in(post(tree.zhengzhou))
    for form in ("csv", "geojson"):
        with django_assert_max_num_queries(26):
            assert client.get(f"/desk/places/export.{form}")["X-Row-Count"] == "12"


def test_the_command_line_takes_offer_columns_by_name(tree: UnionTree, tmp_path: Path) -> None:
    file = tmp_path / "stations.csv"
    file.write_bytes(csv("甲站,113.60,34.75,是,8", header="A,B,C,D,E"))
    columns = "name=A,lon=B,lat=C,offer:water=D,capacity=E"
    options = ["--union", "4101", "--datum", "WGS-84", "--columns", columns]
    done = CliRunner().invoke(app, ["import", "places", str(file), *options])
    assert done.exit_code == 0, done.output
    (place,) = places()
    assert (place.capacity, offers(place)) == (8, {"water"})


def test_the_page_asks_for_columns_that_are_called_like_an_offer(
    sign_in: Any, tree: UnionTree, post: PostMaker
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    content = csv("甲站,113.60,34.75,有", header="名称,经度,纬度,饮水")
    values = {"union": tree.zhengzhou.public_id, "datum": "WGS-84", "kind": "station"}
    client = sign_in(post(tree.zhengzhou))
    page = client.post("/desk/places/import/", {**values, "file": SimpleUploadedFile("a.csv", content)})
    assert 'name="column-offer:water"' in page.content.decode()
    data = {**page.context["choices"], "token": page.context["upload"].token, "step": "import"}
    data |= {bound.html_name: bound.value() or "" for bound in page.context["columns"]}
    client.post("/desk/places/import/preview/", data)
    assert offers(places()[0]) == {"water"}
