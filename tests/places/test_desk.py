"""The desk's pages, as staff use them and as neighbours cannot."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from openpyxl import load_workbook

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.places.importing import Outcome
from yizhan.places.models import Place, PlaceStatus
from yizhan.places.services import import_places
from yizhan.unions.audit import details_in_words
from yizhan.unions.rights import OPERATOR, Role


def entered(**changes: str) -> dict[str, str]:
    """What a keeper fills into the form."""
    return {
        "kind": "station",
        "name": "石佛镇工会驿站",
        "address": "翠竹街1号",
        "district": "高新区",
        "datum": "GCJ-02",
        "lon": "113.564525",
        "lat": "34.819187",
        "position_source": "map",
        "hours-mode": "weekly",
        "hours-workdays_from1": "08:30",
        "hours-workdays_to1": "12:00",
        "hours-workdays_from2": "14:00",
        "hours-workdays_to2": "18:00",
        "hours-holidays_are": "closed",
        "offers": "water",
        "contact": "",
        **changes,
    }


def test_a_keeper_enters_a_place_and_it_becomes_a_draft(sign_in: Any, tree: UnionTree, post: PostMaker) -> None:
    client = sign_in(post(tree.zhongyuan, Role.KEEPER))
    answer = client.post("/desk/places/new/", entered(union=str(tree.shifo.public_id)), follow=True)
    assert answer.status_code == 200
    place = Place.objects.with_scopes_disabled().get()
    assert (place.union, place.status) == (tree.shifo, PlaceStatus.DRAFT)
    assert place.hours == "Mo-Fr 08:30-12:00,14:00-18:00; PH closed"
    assert (place.lon, place.lat) == pytest.approx((113.55842, 34.820276), abs=3e-5)
    assert "石佛镇工会驿站" in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"datum": ""}, "datum"),
        ({"datum": "Mars"}, "datum"),
        ({"lon": "34.8", "lat": "113.5"}, "lon"),
        ({"lon": "nan"}, "lon"),
        ({"name": " "}, "name"),
        ({"hours-workdays_to1": ""}, "hours"),
        ({"hours-mode": "raw", "hours-raw": "随时"}, "hours"),
        ({"hours-mode": "weekly", "hours-workdays_from1": "", "hours-workdays_to1": "",
          "hours-workdays_from2": "", "hours-workdays_to2": ""}, "hours"),
        ({"offers": "sauna"}, "offers"),
    ],
)  # fmt: skip
def test_a_broken_entry_is_shown_at_its_field_and_nothing_is_stored(
    sign_in: Any, tree: UnionTree, post: PostMaker, changes: dict[str, str], field: str
) -> None:
    client = sign_in(post(tree.zhongyuan, Role.KEEPER))
    answer = client.post("/desk/places/new/", entered(union=str(tree.zhongyuan.public_id), **changes))
    assert answer.status_code == 422
    form = answer.context["form"]
    assert form.hours.errors if field == "hours" else field in form.errors
    assert not Place.objects.with_scopes_disabled().exists()


def test_a_keeper_cannot_enter_a_place_at_the_union_above_or_beside(
    sign_in: Any, tree: UnionTree, post: PostMaker
) -> None:
    client = sign_in(post(tree.zhongyuan, Role.KEEPER))
    for union in (tree.zhengzhou, tree.jinshui, tree.shenzhen):
        assert client.post("/desk/places/new/", entered(union=str(union.public_id))).status_code == 422
    assert not Place.objects.with_scopes_disabled().exists()


def test_changing_through_the_form_without_touching_anything_changes_nothing(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, hours="Mo-Fr 09:00-17:00; PH off", offers=("water",))
    client = sign_in(post(tree.zhongyuan, Role.KEEPER))
    form = client.get(f"/desk/places/{place.public_id}/change/").context["form"]
    data = {**_values(form), **_values(form.hours)}
    client.post(f"/desk/places/{place.public_id}/change/", data)
    again = Place.objects.with_scopes_disabled().get()
    assert again.revision == place.revision
    assert again.hours == place.hours


def test_two_keepers_edit_at_once_and_the_second_is_told(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    client = sign_in(post(tree.zhongyuan, Role.KEEPER))
    form = client.get(f"/desk/places/{place.public_id}/change/").context["form"]
    data = {**_values(form), **_values(form.hours)}
    address = f"/desk/places/{place.public_id}/change/"
    assert client.post(address, {**data, "address": "甲"}).status_code == 302
    second = client.post(address, {**data, "address": "乙"})
    assert second.status_code == 409
    assert Place.objects.with_scopes_disabled().get().address == "甲"


def test_a_cadre_publishes_withdraws_and_closes_with_a_reason_and_the_history_tells(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, publish=False)
    client = sign_in(post(tree.zhongyuan, Role.CADRE, name="王丽"))
    base = f"/desk/places/{place.public_id}/"
    client.post(f"{base}publish/")
    assert Place.published.count() == 1
    client.post(f"{base}withdraw/", {"withdraw-reason": "停水"})
    assert Place.published.count() == 0
    client.post(f"{base}publish/")
    client.post(f"{base}close/", {"close-reason": "搬迁"})
    place = Place.objects.with_scopes_disabled().get()
    assert (place.status, place.status_note) == (PlaceStatus.CLOSED, "搬迁")
    page = client.get(base).content.decode()
    assert page.count("王丽") >= 4
    assert "停水" in page
    tombstone = client.get(f"/places/{place.public_id}/")
    assert tombstone.status_code == 410
    assert "搬迁" in tombstone.content.decode()


def test_a_keeper_may_not_publish(sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan, publish=False)
    client = sign_in(post(tree.zhongyuan, Role.KEEPER))
    assert client.post(f"/desk/places/{place.public_id}/publish/").status_code == 403
    assert not Place.published.exists()


@pytest.mark.parametrize("path", ["", "change/"])
def test_a_neighbour_cannot_read_the_place(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker, path: str
) -> None:
    place = make_place(tree.zhongyuan, publish=False)
    for union in (tree.jinshui, tree.shenzhen, tree.shifo):
        client = sign_in(post(union))
        assert client.get(f"/desk/places/{place.public_id}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["change/", "publish/", "withdraw/", "close/"])
def test_a_neighbour_cannot_change_the_place(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker, path: str
) -> None:
    place = make_place(tree.zhongyuan, publish=path != "publish/")
    client = sign_in(post(tree.shenzhen))
    assert client.post(f"/desk/places/{place.public_id}/{path}", entered()).status_code == 404
    again = Place.objects.with_scopes_disabled().get()
    assert (again.revision, again.status) == (place.revision, place.status)


def test_a_neighbour_can_neither_count_nor_export_the_places(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan, name="邻居的站", publish=False)
    make_place(tree.jinshui, name="自己的站")
    client = sign_in(post(tree.jinshui))
    page = client.get("/desk/places/")
    assert "邻居的站" not in page.content.decode()
    assert [row["count"] for row in page.context["counts"]] == [1]
    for form in ("csv", "geojson"):
        export = client.get(f"/desk/places/export.{form}")
        assert export["X-Row-Count"] == "1"
        assert "邻居的站" not in export.content.decode()


def test_a_stranger_and_a_worker_see_no_desk(client: Client, tree: UnionTree, make_place: PlaceMaker) -> None:
    from yizhan.unions.models import User

    place = make_place(tree.zhongyuan)
    pages = ["", "new/", "import/", "export.csv", f"{place.public_id}/", f"{place.public_id}/change/"]
    for page in pages:
        assert client.get(f"/desk/places/{page}").status_code == 302
    client.force_login(User.objects.create_user(username="worker", password="a long sentence"))
    for page in pages:
        assert client.get(f"/desk/places/{page}").status_code == 403


def test_the_list_is_narrowed_by_text_status_kind_union_and_hours(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan, name="甲站", hours="24/7")
    make_place(tree.jinshui, name="乙餐厅", kind="restaurant", publish=False)
    client = sign_in(post(tree.zhengzhou))

    def names(**query: str) -> list[str]:
        return [row["place"].name for row in client.get("/desk/places/", query).context["rows"]]

    assert set(names()) == {"甲站", "乙餐厅"}
    assert names(q="甲") == ["甲站"]
    assert names(status="draft") == ["乙餐厅"]
    assert names(kind="restaurant") == ["乙餐厅"]
    assert names(union="中原") == ["甲站"]
    assert names(open="now") == ["甲站"]
    assert names(open="unknown") == ["乙餐厅"]
    assert names(q="没有") == []


def test_the_list_takes_as_many_queries_for_forty_places_as_for_one(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = sign_in(post(tree.zhengzhou))
    make_place(tree.zhongyuan, offers=("water",))
    with CaptureQueriesContext(connection) as one:
        client.get("/desk/places/")
    for _n in range(8):
        make_place(tree.zhongyuan, offers=("water", "rest"))
    with CaptureQueriesContext(connection) as many:
        client.get("/desk/places/")
    assert len(many) == len(one)


def test_an_export_holds_every_row_and_no_formula(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    make_place(tree.zhongyuan, name='=HYPERLINK("http://x","y")', address="@SUM(1)")
    make_place(tree.jinshui, name="-1+1")
    client = sign_in(post(tree.zhengzhou))
    workbook = load_workbook(BytesIO(client.get("/desk/places/export.xlsx").content))
    sheet = workbook.active
    assert sheet is not None
    assert sheet.max_row == 3
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    lines = client.get("/desk/places/export.csv").content.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert not any(cell.startswith(("=", "@", "-1+")) for line in lines for cell in line.replace('"', "").split(","))
    features = client.get("/desk/places/export.geojson").json()["features"]
    assert len(features) == 2
    assert features[0]["properties"]["datum"] == "WGS-84"


CSV = "名称,地址,经度,纬度,营业时间\n甲站,中原路1号,113.62,34.75,24小时\n乙站,中原路2号,0,0,24小时\n"


def test_an_import_is_looked_at_then_confirmed_and_the_refused_rows_come_back(
    sign_in: Any, tree: UnionTree, post: PostMaker
) -> None:
    client = sign_in(post(tree.zhengzhou))
    choices = {"union": str(tree.zhengzhou.public_id), "datum": "WGS-84", "kind": "station"}
    file = SimpleUploadedFile("stations.csv", CSV.encode("gb18030"))
    looked = client.post("/desk/places/import/", {**choices, "file": file})
    assert looked.status_code == 200
    assert not Place.objects.with_scopes_disabled().exists()
    page = looked.content.decode()
    assert "GB18030" in page
    assert looked.context["going_in"] == 1
    columns = {bound.html_name: bound.value() for bound in looked.context["columns"]}
    again = {**choices, **columns, "token": looked.context["upload"].token}
    done = client.post("/desk/places/import/preview/", {**again, "step": "import"})
    assert done.status_code == 200
    assert [place.name for place in Place.objects.with_scopes_disabled().all()] == ["甲站"]
    back = client.post("/desk/places/import/rejects/", again).content.decode("utf-8-sig")
    assert "乙站" in back
    assert "甲站" not in back
    twice = client.post("/desk/places/import/preview/", {**again, "step": "import"})
    assert twice.context["report"].already_imported_at is not None
    assert Place.objects.with_scopes_disabled().count() == 1


def test_another_persons_upload_cannot_be_confirmed(sign_in: Any, tree: UnionTree, post: PostMaker) -> None:
    client = sign_in(post(tree.zhengzhou))
    choices = {"union": str(tree.zhengzhou.public_id), "datum": "WGS-84", "kind": "station"}
    looked = client.post("/desk/places/import/", {**choices, "file": SimpleUploadedFile("a.csv", CSV.encode())})
    token = looked.context["upload"].token
    other = sign_in(post(tree.zhengzhou))
    answer = other.post("/desk/places/import/preview/", {**choices, "token": token, "step": "import"})
    assert answer.status_code == 302
    assert not Place.objects.with_scopes_disabled().exists()


def test_an_import_without_a_datum_is_refused(sign_in: Any, tree: UnionTree, post: PostMaker) -> None:
    client = sign_in(post(tree.zhengzhou))
    choices = {"union": str(tree.zhengzhou.public_id), "datum": "", "kind": "station"}
    answer = client.post("/desk/places/import/", {**choices, "file": SimpleUploadedFile("a.csv", CSV.encode())})
    assert answer.status_code == 422
    assert "datum" in answer.context["form"].errors


def _values(form: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for bound in form:
        value = bound.value()
        if value is not None:
            values[bound.html_name] = value.strftime("%H:%M") if hasattr(value, "strftime") else value
    return {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}


def test_an_exported_list_comes_back_unchanged(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    make_place(tree.zhengzhou, name="甲站", hours="24/7", offers=("water", "rest"), contact="12351")
    make_place(tree.zhengzhou, name="=乙餐厅", kind="restaurant", hours="Mo-Fr 09:00-17:00; PH off", lon=113.7)
    client = sign_in(post(tree.zhengzhou))
    for form in ("csv", "xlsx"):
        content = client.get(f"/desk/places/export.{form}").content
        report = import_places(content, file_name=f"back.{form}", union=tree.zhengzhou, actor=OPERATOR)
        assert [row.outcome for row in report.rows] == [Outcome.UNCHANGED, Outcome.UNCHANGED], report.refused


def test_the_trail_tells_of_places_in_words_not_in_codes(tree: UnionTree, make_place: PlaceMaker) -> None:
    details = {
        "offers": [["water"], ["water", "aed"]],
        "kind": ["station", "restaurant"],
        "answer": "fixed",
        "access": ["", "walk_in"],
        "created": 3,
    }
    with translation.override("zh-hans"):
        told = dict(details_in_words(details))
    assert told["服务"] == "饮用水, 饮用水, AED 除颤仪"
    assert "惠骑餐厅" in told["类型"]
    assert told["答复"] == "修好了"
    assert "推门即进" in told["如何进入"]
    with translation.override("en"):
        assert dict(details_in_words(details))["offers"] == "Drinking water, Drinking water, AED"
    assert "created" not in told
