"""Files as they really come: wrong datum, sea positions, broken hours, formulas, GBK, twice the same, two at once."""

from __future__ import annotations

import threading
import zipfile
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.places.importing import Flag, ImportReport, Outcome, read_table, rejected_rows_file
from yizhan.places.models import ImportRun, Offer, Place, PlaceStatus
from yizhan.places.services import close_place, import_places
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, Union
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

HEADER = "编号,名称,地址,区县,经度,纬度,营业时间,服务项目"
GOOD = "1,甲站,中原路1号,中原区,113.60,34.75,24小时,饮用水、微波炉"


def csv(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines]).encode()


def bring(content: bytes, union: Union, **options: Any) -> ImportReport:
    values: dict[str, Any] = {"file_name": "stations.csv", "actor": OPERATOR, "datum": "WGS-84", **options}
    return import_places(content, union=union, **values)


def places() -> list[Place]:
    return list(Place.objects.with_scopes_disabled().order_by("pk"))


def refused(content: bytes, union: Union, **options: Any) -> list[str]:
    """The codes of the problems for which a file as a whole is refused; nothing may have been written."""
    with pytest.raises(RuleBroken) as refusal:
        bring(content, union, **options)
    assert not places()
    assert not ImportRun.objects.with_scopes_disabled().exists()
    return [problem.code for problem in refusal.value.problems]


def reasons(report: ImportReport) -> list[str]:
    return [reason for row in report.refused for reason in row.reasons]


def test_a_good_row_goes_in_with_hours_and_offers(tree: UnionTree) -> None:
    report = bring(csv(GOOD), tree.zhengzhou)
    assert report.count(Outcome.CREATED) == 1
    (place,) = places()
    assert (place.name, place.hours, place.district, place.status) == ("甲站", "24/7", "中原区", PlaceStatus.DRAFT)
    offers = Offer.objects.with_scopes_disabled().filter(place=place).values_list("kind__code", flat=True)
    assert set(offers) == {"water", "microwave"}


def test_a_file_that_does_not_say_its_datum_is_refused(tree: UnionTree) -> None:
    assert refused(csv(GOOD), tree.zhengzhou, datum=None) == ["missing_datum"]
    assert refused(csv(GOOD), tree.zhengzhou, datum="Mars-1") == ["unknown_datum"]


def test_a_datum_column_may_say_it_row_by_row(tree: UnionTree) -> None:
    header = "名称,经度,纬度,坐标系"
    report = bring(csv("甲,113.6,34.75,GCJ-02", "乙,113.61,34.75,", header=header), tree.zhengzhou, datum=None)
    assert [row.outcome for row in report.rows] == [Outcome.CREATED, Outcome.REFUSED]
    assert places()[0].datum_given == "GCJ-02"
    assert places()[0].lon == pytest.approx(113.594, abs=0.001)


def test_a_column_that_names_another_datum_is_refused(tree: UnionTree) -> None:
    header = "name,lng_gcj02,lat_gcj02"
    assert refused(csv("甲,113.6,34.75", header=header), tree.zhengzhou, datum="WGS-84") == [
        "missing_column",
        "missing_column",
    ]
    with pytest.raises(RuleBroken) as refusal:
        bring(csv("甲,113.6,34.75", header=header), tree.zhengzhou, mapping={"name": 0, "lon": 1, "lat": 2})
    assert {problem.code for problem in refusal.value.problems} == {"contradicted_datum"}


def test_of_two_position_columns_the_one_in_the_given_datum_is_taken(tree: UnionTree) -> None:
    header = "name,lng_gcj02,lat_gcj02,lng_wgs84,lat_wgs84"
    bring(csv("甲,113.6,34.75,113.7,34.76", header=header), tree.zhengzhou, datum="WGS-84")
    assert (places()[0].lon, places()[0].lat) == (113.7, 34.76)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1,甲站,,,0,0,,", "0, 0"),
        ("1,甲站,,,34.75,113.60,,", "颠倒"),
        ("1,甲站,,,123.5,30.5,,", "海上"),
        ("1,甲站,,,135.5,34.7,,", "海上"),
        ("1,甲站,,,114.05,22.54,,", "福田区"),
        ("1,甲站,,,abc,34.75,,", "abc"),
        ("1,甲站,,,,34.75,,", "经度"),
        ("1,甲站,,,nan,34.75,,", "nan"),
        ("1,,,,113.60,34.75,,", "名称"),
        ("1,甲站,,,113.60,34.75,25:00-26:00,", "25:00"),
        ("1,甲站,,,113.60,34.75,随时,", "随时"),
        ("1," + "长" * 121 + ",,,113.60,34.75,,", "121"),
    ],
)
def test_a_bad_row_is_refused_with_a_reason_and_the_good_one_goes_in(tree: UnionTree, line: str, said: str) -> None:
    report = bring(csv(line, "2,乙站,,,113.61,34.75,,"), tree.zhengzhou)
    assert [row.outcome for row in report.rows] == [Outcome.REFUSED, Outcome.CREATED]
    assert said in "".join(reasons(report))
    assert [place.name for place in places()] == ["乙站"]


def test_a_row_outside_its_stated_district_goes_in_as_a_draft_even_when_publishing(tree: UnionTree) -> None:
    report = bring(csv("1,甲站,,金水区,113.60,34.75,,", GOOD.replace("1,甲站", "2,乙站")), tree.zhengzhou, publish=True)
    assert list(report.flag_counts()) == [Flag.OUTSIDE_STATED_DISTRICT, Flag.NEAR_ANOTHER]
    assert [(place.name, place.status) for place in places()] == [("甲站", "draft"), ("乙站", "published")]


def test_the_same_name_twice_is_refused_and_within_fifty_metres_is_flagged(tree: UnionTree) -> None:
    report = bring(csv(GOOD, "2,甲站,,,113.70,34.75,,", "3,丙站,,,113.6003,34.75,,"), tree.zhengzhou)
    assert [row.outcome for row in report.rows] == [Outcome.CREATED, Outcome.REFUSED, Outcome.CREATED]
    assert Flag.NEAR_ANOTHER in report.rows[2].flags


def test_a_name_that_is_already_in_the_directory_is_refused(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.zhongyuan, name="甲站", publish=False)
    report = bring(csv(GOOD), tree.zhengzhou)
    assert report.count(Outcome.REFUSED) == 1


def test_a_neighbours_drafts_are_not_given_away_by_the_duplicate_check(tree: UnionTree, make_place: PlaceMaker) -> None:
    make_place(tree.shenzhen, name="别人的草稿", lon=113.60, lat=34.75, publish=False)
    assert bring(csv(GOOD), tree.zhengzhou).rows[0].flags == {}


def test_a_formula_in_a_workbook_is_refused_not_read(tree: UnionTree) -> None:
    report = bring(workbook(["甲站", 113.60, "=34+0.75"], ["乙站", 113.61, 34.75]), tree.zhengzhou)
    assert [row.outcome for row in report.rows] == [Outcome.REFUSED, Outcome.CREATED]
    back = load_workbook(BytesIO(rejected_rows_file(report))).active
    assert back is not None
    rows = list(back.iter_rows(values_only=True))
    assert rows[1][0] == "甲站"
    assert rows[1][3] == "2"
    assert all(cell.data_type != "f" for row in back.iter_rows() for cell in row)


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in [["名称", "经度", "纬度"], *rows]:
        sheet.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_gbk_file_is_read_and_said_to_be_one(tree: UnionTree) -> None:
    report = bring(csv(GOOD).decode().encode("gbk"), tree.zhengzhou)
    assert report.count(Outcome.CREATED) == 1
    assert "GB18030" in report.remarks[0]
    assert places()[0].name == "甲站"


def test_a_cell_of_ten_megabytes_refuses_its_row_only(tree: UnionTree) -> None:
    report = bring(csv(f"1,{'长' * 3_500_000},,,113.60,34.75,,", "2,乙站,,,113.61,34.75,,"), tree.zhengzhou)
    assert [row.outcome for row in report.rows] == [Outcome.REFUSED, Outcome.CREATED]
    assert len(rejected_rows_file(report)) < 5000


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\xff\xfe\x00", "unknown_encoding"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not_a_table"),
        (b"%PDF-1.7\n%\xe2\xe3", "not_a_table"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "not_a_table"),
        (b"\x1f\x8b\x08\x00", "not_a_table"),
        (b"PK\x03\x04broken", "damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_excel"),
        (HEADER.encode(), "no_rows"),
        (b"a,b\n\x001,2", "not_text"),
        (b"a" * (20 * 1024 * 1024 + 1), "too_large"),
        ("名称,地址\n甲,乙".encode(), "missing_column"),
    ],
)
def test_a_file_that_is_none_is_refused_as_a_whole(tree: UnionTree, content: bytes, code: str) -> None:
    assert code in refused(content, tree.zhengzhou)


def test_the_same_file_twice_changes_nothing_and_says_so(tree: UnionTree) -> None:
    bring(csv(GOOD), tree.zhengzhou)
    before = [(place.revision, place.changed_at) for place in places()]
    again = bring(csv(GOOD), tree.zhengzhou)
    assert again.already_imported_at is not None
    assert [(place.revision, place.changed_at) for place in places()] == before
    assert ImportRun.objects.with_scopes_disabled().count() == 1


def test_a_corrected_file_changes_the_places_it_knows_by_their_numbers(tree: UnionTree) -> None:
    bring(csv(GOOD), tree.zhengzhou)
    report = bring(csv(GOOD.replace("甲站", "甲驿站").replace("24小时", "8:00-20:00")), tree.zhengzhou)
    assert report.count(Outcome.CHANGED) == 1
    (place,) = places()
    assert (place.name, place.hours, place.revision) == ("甲驿站", "08:00-20:00", 2)


def test_an_import_does_not_open_what_was_closed_for_good(tree: UnionTree) -> None:
    bring(csv(GOOD), tree.zhengzhou)
    close_place(places()[0], actor=OPERATOR)
    report = bring(csv(GOOD, "2,乙站,,,113.65,34.75,,"), tree.zhengzhou)
    assert report.rows[0].outcome is Outcome.UNCHANGED
    assert Flag.CLOSED_PLACE in report.rows[0].flags
    assert places()[0].status == PlaceStatus.CLOSED


def test_a_dry_run_tells_the_same_and_writes_nothing(tree: UnionTree) -> None:
    report = bring(csv(GOOD, "2,乙站,,,0,0,,"), tree.zhengzhou, dry_run=True)
    assert (report.count(Outcome.CREATED), report.count(Outcome.REFUSED)) == (1, 1)
    assert not places()
    assert not AuditEntry.objects.with_scopes_disabled().exists()


def test_only_those_with_the_right_import_and_only_below_their_union(tree: UnionTree, post: PostMaker) -> None:
    for actor in (post(tree.jinshui), post(tree.zhengzhou, Role.KEEPER), post(tree.shenzhen)):
        with pytest.raises(NotAllowed):
            bring(csv(GOOD), tree.zhongyuan, actor=actor)
    assert not places()
    bring(csv(GOOD), tree.zhongyuan, actor=post(tree.zhengzhou, Role.CADRE))
    entry = AuditEntry.objects.with_scopes_disabled().get(action="places.imported")
    assert entry.details["created"] == 1


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_enter_each_place_once(tree: UnionTree) -> None:
    lines = [f"{n},{n}号站,,,{113.60 + n * 0.002:.4f},34.75,," for n in range(20)]
    together = threading.Barrier(2)
    reports: list[ImportReport] = []

    def one() -> None:
        try:
            together.wait(10)
            reports.append(bring(csv(*lines), tree.zhengzhou, publish=True))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(report.count(Outcome.CREATED) for report in reports) == [0, 20]
    assert sum(report.already_imported_at is not None for report in reports) == 1
    assert Place.published.count() == 20


CELLS = st.sampled_from(
    ["", "113.6", "34.75", "甲站", "24小时", "=1+1", "x" * 130, "0", "-1e400", "周一", "\t", '"', "null", "１１３.６"]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.lists(
        st.lists(
            CELLS | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
            min_size=0,
            max_size=8,
        ),
        min_size=1,
        max_size=5,
    )
)
def test_whatever_the_cells_hold_each_row_goes_in_or_comes_back(tree: UnionTree, rows: list[list[str]]) -> None:
    import csv as standard
    from io import StringIO

    text = StringIO()
    standard.writer(text).writerows([HEADER.split(","), *rows, GOOD.split(",")])
    report = bring(text.getvalue().encode(), tree.zhengzhou, dry_run=True)
    assert len(report.rows) == sum(1 for row in [*rows, GOOD] if any(cell.strip() for cell in row))
    assert all(bool(row.reasons) == (row.outcome is Outcome.REFUSED) for row in report.rows)
    back = read_table(rejected_rows_file(report), file_name="back.csv") if report.refused else None
    assert back is None or len(back.rows) == len(report.refused)


def test_a_document_that_is_called_a_workbook_is_named_for_what_it_is(tree: UnionTree) -> None:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as package:
        package.writestr("word/document.xml", "<w/>")
    assert refused(out.getvalue(), tree.zhengzhou, file_name="驿站.xlsx") == ["not_a_table"]


def test_a_workbook_that_unpacks_to_a_bomb_is_refused_unread(tree: UnionTree) -> None:
    out = BytesIO()
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as package,
        package.open("a.xml", "w") as part,
    ):
        for _n in range(210):
            part.write(bytes(1024 * 1024))
    assert len(out.getvalue()) < 1024 * 1024
    assert refused(out.getvalue(), tree.zhengzhou) == ["too_large"]
