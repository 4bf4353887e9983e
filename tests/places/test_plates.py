"""Plates at doors: what stands on them, where they lead, and that visits are counted without knowing anybody."""

from __future__ import annotations

import threading
from datetime import timedelta
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from openpyxl import load_workbook

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.places import plates as drawing
from yizhan.places.models import Place, Plate, PlateVisits
from yizhan.places.models.plates import CODE_LETTERS, new_code
from yizhan.places.queries.plates import days_of, visits_of_last_days
from yizhan.places.reports.words import visits_in_words
from yizhan.places.services import close_place, withdraw_place
from yizhan.places.services.plates import count_visit, is_machine, plates_of
from yizhan.unions.models import Staff
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

PHONE = "Mozilla/5.0 (Linux; Android 13; V2244A) AppleWebKit/537.36 Mobile Safari/537.36 MicroMessenger/8.0.50"


def plate_of(place: Place) -> Plate:
    plates_of([place], actor=OPERATOR)
    found: Plate = Plate.objects.with_scopes_disabled().get(place=place)
    return found


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff.user)
    return client


def scan(plate: Plate, agent: str = PHONE, **headers: str) -> Any:
    return Client().get(f"/p/{plate.code}", headers={"user-agent": agent, **headers})


def counted(plate: Plate) -> int:
    return sum(PlateVisits.objects.with_scopes_disabled().filter(plate=plate).values_list("count", flat=True))


def test_a_place_keeps_its_code_and_codes_are_not_row_numbers(tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    first = plate_of(place).code
    assert plate_of(place).code == first
    assert len(first) == 8
    assert set(first) <= set(CODE_LETTERS)
    assert len({new_code() for _n in range(1000)}) == 1000


def test_a_scan_leads_to_the_place_sets_no_cookie_and_is_counted_by_day(
    tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    plate = plate_of(place)
    answer = scan(plate)
    assert answer.status_code == 302
    assert answer["Location"] == f"/places/{place.public_id}/"
    assert not answer.cookies
    assert "no-store" in answer["Cache-Control"]
    scan(plate)
    Client().get(f"/p/{plate.code.upper()}", headers={"user-agent": PHONE})  # typed by hand
    row = PlateVisits.objects.with_scopes_disabled().get()
    assert (row.day, row.count) == (timezone.localdate(), 3)
    assert {field.name for field in PlateVisits._meta.fields} == {"id", "plate", "day", "count"}


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Baiduspider/2.0",
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "curl/8.5",
        "python-requests/2",
        "facebookpreview",
    ],
)
def test_machines_are_led_on_but_not_counted(tree: UnionTree, make_place: PlaceMaker, agent: str) -> None:
    plate = plate_of(make_place(tree.zhongyuan))
    assert scan(plate, agent).status_code == 302
    assert counted(plate) == 0


def test_prefetching_and_head_are_no_visits(tree: UnionTree, make_place: PlaceMaker) -> None:
    plate = plate_of(make_place(tree.zhongyuan))
    scan(plate, **{"sec-purpose": "prefetch"})
    Client().head(f"/p/{plate.code}", headers={"user-agent": PHONE})
    assert counted(plate) == 0
    assert not is_machine("Mozilla/5.0 (Linux; Android 12; CUBOT X50)")
    assert not is_machine("QRScanner/3 Mozilla/5.0 (iPhone)")


def test_unknown_codes_and_places_out_of_sight_lead_nowhere(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    suspended = make_place(tree.zhongyuan)
    plate = plate_of(suspended)
    withdraw_place(suspended, actor=post(tree.zhongyuan))
    assert scan(plate)["Location"] == suspended.get_absolute_url(), "where one reads why it is shut"
    draft = make_place(tree.zhongyuan, publish=False)
    assert scan(plate_of(draft)).status_code == 404
    assert counted(plate_of(draft)) == 0
    for code in ("a", "x" * 200, "0", "-"):
        assert Client().get(f"/p/{code}").status_code == 404
    closed = make_place(tree.zhongyuan)
    tombstone = plate_of(closed)
    close_place(closed, actor=post(tree.zhongyuan))
    assert scan(tombstone).status_code == 302


def test_few_visits_are_no_figure_in_public_and_exact_at_the_desk(
    client: Client, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    plate = plate_of(place)
    for _n in range(4):
        count_visit(plate)
    with translation.override("en"):
        assert visits_in_words(visits_of_last_days(place)) == ""
    assert "扫门牌码到访" not in client.get(f"/places/{place.public_id}/").content.decode()
    desk = signed_in(post(tree.zhongyuan, Role.KEEPER)).get(f"/desk/places/{place.public_id}/plate/")
    assert (desk.context["total"], desk.context["today"]) == (4, 4)
    count_visit(plate)
    assert "近 30 天有 5 次扫门牌码到访" in client.get(f"/places/{place.public_id}/").content.decode()


def test_thirty_days_are_shown_and_older_visits_are_not(tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    plate, today = plate_of(place), timezone.localdate()
    for days in (0, 0, 29, 30):
        count_visit(plate, day=today - timedelta(days=days))
    days = days_of(place)
    assert (len(days), days[0].count, days[-1].count) == (30, 1, 2)
    assert (days[0].share, days[1].share, days[-1].share) == (50, 0, 100)
    assert visits_of_last_days(place) == 3


@pytest.mark.django_db(transaction=True)
def test_many_scans_at_once_lose_no_visit(transactional_db: None, tree: UnionTree, make_place: PlaceMaker) -> None:
    plate = plate_of(make_place(tree.zhongyuan))
    start = threading.Barrier(6)

    def scan_often() -> None:
        start.wait(10)
        for _n in range(5):
            count_visit(plate)
        connection.close()

    threads = [threading.Thread(target=scan_often) for _n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert counted(plate) == 30


TEXT = drawing.PlateText(place="石佛镇<&>工会驿站", union="中原区总工会", url="https://yizhan.example.cn/p/abcdefgh")


def test_an_svg_plate_is_well_formed_and_says_place_union_hotline_and_address() -> None:
    root = ET.fromstring(drawing.svg(TEXT))  # noqa: S314 - our own drawing
    words = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "石佛镇<&>工会驿站" in words
    assert "中原区总工会" in words
    assert any("12351" in (text or "") for text in words)
    assert "yizhan.example.cn/p/abcdefgh" in words
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    for element in root.iter("{http://www.w3.org/2000/svg}text"):
        assert 0 < float(element.attrib["y"]) < height
    assert width < height


@pytest.mark.parametrize("size", ["a4", "a5"])
@pytest.mark.parametrize("name", ["驿站", "站" * 60, "A very long English name of a station " * 3])
def test_a_plate_fits_its_sheet_whatever_the_name(size: str, name: str) -> None:
    width, height = drawing.SIZES[size]
    layout = drawing._Layout.of(drawing.PlateText(name, name, TEXT.url), width, height)
    assert layout.code_side > 0.3 * width
    assert layout.code_top + layout.code_side < height - 30
    assert all(0 < line.y < height for line in layout.lines)
    content = drawing.pdf([drawing.PlateText(name, name, TEXT.url)], size=size)
    assert content.startswith(b"%PDF-")
    assert b"STSong-Light" in content


def test_a_batch_holds_one_page_a_place_of_the_filter_and_none_of_the_neighbour(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    for name in ("甲站", "乙站", "丙餐厅"):
        make_place(tree.zhongyuan, name=name)
    make_place(tree.jinshui, name="邻居站")
    client = signed_in(post(tree.zhongyuan, Role.KEEPER))
    answer = client.get("/desk/places/plates/a5.pdf", {"q": "站"})
    assert answer.status_code == 200
    assert answer["X-Row-Count"] == "2"
    assert answer.content.count(b"/Type /Page\n") == 2
    assert Plate.objects.with_scopes_disabled().count() == 2
    assert client.get("/desk/places/plates/a5.pdf", {"q": "没有"}).status_code == 404
    assert client.get("/desk/places/plates/a9.pdf").status_code == 404


def test_one_plate_comes_as_svg_and_pdf_for_its_union_alone(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    client, neighbour = signed_in(post(tree.zhongyuan, Role.KEEPER)), signed_in(post(tree.jinshui))
    base = f"/desk/places/{place.public_id}/plate/"
    for file, kind in (("plate.svg", "image/svg+xml"), ("a4.pdf", "application/pdf"), ("a5.pdf", "application/pdf")):
        answer = client.get(base + file)
        assert answer.status_code == 200
        assert answer["Content-Type"] == kind
        assert neighbour.get(base + file).status_code == 404
    assert neighbour.get(base).status_code == 404
    with pytest.raises(NotAllowed):
        plates_of([place], actor=post(tree.jinshui))


def test_visits_are_exported_with_every_row_and_none_of_the_neighbour(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    mine, other = plate_of(make_place(tree.zhongyuan, name="=甲站")), plate_of(make_place(tree.jinshui, name="邻居站"))
    today = timezone.localdate()
    for plate, days in ((mine, 0), (mine, 1), (other, 0)):
        count_visit(plate, day=today - timedelta(days=days))
    client = signed_in(post(tree.zhongyuan, Role.CADRE))
    text = client.get("/desk/places/plates/visits.csv").content.decode("utf-8-sig")
    assert len(text.splitlines()) == 3
    assert "邻居" not in text
    assert "'=甲站" in text
    sheet = load_workbook(BytesIO(client.get("/desk/places/plates/visits.xlsx").content)).active
    assert sheet is not None
    assert sheet.max_row == 3
    assert signed_in(post(tree.zhongyuan, Role.KEEPER)).get("/desk/places/plates/visits.csv").status_code == 403


def test_the_list_of_plates_takes_as_many_queries_for_many_places_as_for_one(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    client = signed_in(post(tree.zhengzhou, Role.CADRE))
    count_visit(plate_of(make_place(tree.zhongyuan)))
    client.get("/desk/places/plates/")
    with CaptureQueriesContext(connection) as one:
        client.get("/desk/places/plates/")
    for _n in range(6):
        count_visit(plate_of(make_place(tree.jinshui)))
    with CaptureQueriesContext(connection) as many:
        client.get("/desk/places/plates/")
    assert len(many) == len(one)
