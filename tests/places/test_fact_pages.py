"""The pages of what hangs at places, as keepers, verifiers and riders use them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from tests.places.test_desk import entered
from tests.places.test_pictures import drawn
from yizhan.geo import Datum, convert
from yizhan.places import services
from yizhan.places.models import Equipment, Place, PlacePhoto, PlaceStatus, Verification
from yizhan.places.services import EquipmentFacts
from yizhan.unions.rights import Role


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def only_place() -> Place:
    return Place.objects.with_scopes_disabled().get()


def test_the_form_stores_door_parking_host_users_and_seats(sign_in: Any, tree: UnionTree, post: PostMaker) -> None:
    client = sign_in(post(tree.zhongyuan, Role.KEEPER))
    answer = client.post(
        "/desk/places/new/",
        entered(
            union=str(tree.shifo.public_id), access="qr", access_note="银行左侧第二个门", users="occupations",
            occupations="courier", capacity="12", host="邮政储蓄银行", operator="石佛镇", funder="郑州市总工会",
            entrance_lon="113.5646", entrance_lat="34.8192",
        ),
    )  # fmt: skip
    assert answer.status_code == 302
    place = only_place()
    assert (place.access, place.users, place.occupations, place.capacity) == ("qr", "occupations", ["courier"], 12)
    assert (place.host, place.host_name, place.operator, place.funder) == (
        None, "邮政储蓄银行", tree.shifo, tree.zhengzhou,
    )  # fmt: skip
    assert place.entrance == pytest.approx(convert(113.5646, 34.8192, source=Datum.GCJ02, target=Datum.WGS84), abs=1e-8)
    page = client.get(f"/desk/places/{place.public_id}/change/")
    form = page.context["form"]
    assert (form["host"].value(), form["operator"].value()) == ("邮政储蓄银行", "石佛镇总工会")
    assert form["entrance_lon"].value() == pytest.approx(113.5646, abs=1e-6)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"operator": "没有这个工会"}, "operator"),
        ({"users": "occupations"}, "occupations"),
        ({"capacity": "0"}, "capacity"),
        ({"access": "magic"}, "access"),
        ({"entrance_lon": "113.56"}, "entrance_lat"),
        ({"entrance_lon": "114.56", "entrance_lat": "34.81"}, "entrance_lon"),
        ({"parking_lon": "34.81", "parking_lat": "113.56"}, "parking_lon"),
    ],
)
def test_a_wrong_fact_is_shown_at_its_field(
    sign_in: Any, tree: UnionTree, post: PostMaker, changes: dict[str, str], field: str
) -> None:
    client = sign_in(post(tree.zhongyuan, Role.KEEPER))
    answer = client.post("/desk/places/new/", entered(union=str(tree.zhongyuan.public_id), **changes))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert not Place.objects.with_scopes_disabled().exists()


def test_a_private_mobile_number_is_masked_for_everyone_and_a_service_number_is_not(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    private = make_place(tree.zhongyuan, contact="王师傅 138 1234 5678，12351")
    service = make_place(tree.zhongyuan, contact="13812345678", contact_is_service=True)
    landline = make_place(tree.zhongyuan, contact="0371-67181234")
    pages = [client.get(f"/places/{place.public_id}/").content.decode() for place in (private, service, landline)]
    assert "138****5678，12351" in pages[0]
    assert "1234 5678" not in pages[0]
    assert "13812345678" in pages[1]
    assert "0371-67181234" in pages[2]
    contacts = {place["id"]: place["contact"] for place in client.get("/api/places").json()["places"]}
    assert contacts[str(private.public_id)] == "王师傅 138****5678，12351"


def test_everyone_reads_what_is_broken_expired_and_shut(
    client: Client, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place, actor = make_place(tree.zhongyuan, hours="24/7", offers=("microwave", "water")), post(tree.zhongyuan)
    today = timezone.localdate()
    services.add_equipment(place, EquipmentFacts(name="格兰仕微波炉", offer="microwave", state="broken"), actor=actor)
    services.add_equipment(place, EquipmentFacts(name="急救药箱", expires_on=today), actor=actor)
    now = timezone.now()
    services.shut_place(place, starts_at=now, ends_at=now + timedelta(days=2), reason="停电检修", actor=actor)
    client.cookies["django_language"] = "zh-hans"
    page = client.get(f"/places/{place.public_id}/").content.decode()
    for words in ("格兰仕微波炉", "起故障", "急救药箱", "请勿使用", "微波炉（暂不可用）", "停电检修", "现在关门"):
        assert words in page, words
    body = client.get(f"/api/places/{place.public_id}").json()
    assert body["open_now"] == "no"
    assert body["closures"][0]["reason"] == "停电检修"
    assert {thing["name"]: thing["usable"] for thing in body["equipment"]} == {"格兰仕微波炉": False, "急救药箱": False}
    assert client.get("/places/", {"open": "now"}).context["listing"].groups() == []


def test_a_keeper_reports_equipment_broken_with_one_button_and_it_is_listed(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place, keeper = make_place(tree.zhongyuan), post(tree.zhongyuan, Role.KEEPER)
    client = sign_in(keeper)
    base = f"/desk/places/{place.public_id}/"
    assert client.post(f"{base}equipment/new/", {"name": "冰箱", "state": "works"}).status_code == 302
    thing = Equipment.objects.with_scopes_disabled().get()
    assert client.get("/desk/places/equipment/").context["rows"] == []
    client.post(f"/desk/places/equipment/{thing.public_id}/turn/", {"works": "no"})
    (row,) = client.get("/desk/places/equipment/").context["rows"]
    assert row["thing"] == thing
    assert [r["place"] for r in client.get("/desk/places/?care=equipment").context["rows"]] == [place]
    assert "冰箱 · " in client.get(base).content.decode()  # the history says so
    client.force_login(post(tree.jinshui).user)
    assert client.get("/desk/places/equipment/").context["rows"] == []
    export = client.get("/desk/places/equipment/export.csv")
    assert export["X-Row-Count"] == "0"


def test_an_export_of_equipment_holds_every_row(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place, actor = make_place(tree.zhongyuan), post(tree.zhongyuan)
    for name in ("冰箱", "=1+1"):
        services.add_equipment(place, EquipmentFacts(name=name, state="broken"), actor=actor)
    export = sign_in(actor).get("/desk/places/equipment/export.csv")
    lines = export.content.decode("utf-8-sig").splitlines()
    assert (export["X-Row-Count"], len(lines)) == ("2", 3)
    assert ",'=1+1," in lines[1] + lines[2]


def test_a_place_is_shut_by_the_clock_on_the_wall_and_opened_again(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, hours="24/7")
    client = sign_in(post(tree.zhongyuan, Role.KEEPER))
    now = timezone.localtime()
    entry = {
        "starts_at": f"{now - timedelta(hours=1):%Y-%m-%dT%H:%M}",
        "ends_at": f"{now + timedelta(hours=5):%Y-%m-%dT%H:%M}",
        "reason": "停水",
    }
    address = f"/desk/places/{place.public_id}/shut/"
    assert client.post(address, {**entry, "reason": ""}).status_code == 422
    assert client.post(address, entry).status_code == 302
    assert [row["place"] for row in client.get("/desk/places/?open=shut").context["rows"]] == [place]
    assert list(client.get("/desk/places/?open=now").context["rows"]) == []
    (closure,) = client.get(f"/desk/places/{place.public_id}/").context["closures"]
    client.post(f"/desk/places/closures/{closure.public_id}/lift/")
    assert [row["place"] for row in client.get("/desk/places/?open=now").context["rows"]] == [place]


def test_a_photo_goes_in_and_is_shown_and_a_script_does_not(
    client: Client, sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    signed_in = sign_in(post(tree.zhongyuan, Role.KEEPER))
    address = f"/desk/places/{place.public_id}/photos/"
    script = SimpleUploadedFile("x.jpg", b"<script>alert(1)</script>", "image/jpeg")
    refused = signed_in.post(address, {"photo": script, "alt": "门"})
    assert refused.status_code == 422
    assert "photo" in refused.context["form"].errors
    assert signed_in.post(address, {"photo": SimpleUploadedFile("x.jpg", drawn()), "alt": "东门"}).status_code == 302
    photo = PlacePhoto.objects.with_scopes_disabled().get()
    page = Client().get(f"/places/{place.public_id}/").content.decode()
    assert f"/media/{photo.small.name}" in page
    assert 'alt="东门"' in page
    (shown,) = client.get(f"/api/places/{place.public_id}").json()["photos"]
    assert shown["alt"] == "东门"


def test_the_first_photo_is_the_cover_and_photos_change_places(
    client: Client, sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    signed_in = sign_in(post(tree.zhongyuan, Role.KEEPER))
    address = f"/desk/places/{place.public_id}/photos/"
    for alt in ("东门", "大厅", "药箱"):
        signed_in.post(address, {"photo": SimpleUploadedFile("x.jpg", drawn()), "alt": alt})

    def shown() -> list[str]:
        return [one["alt"] for one in Client().get(f"/api/places/{place.public_id}").json()["photos"]]

    def move(alt: str, to: str) -> None:
        photo = PlacePhoto.objects.with_scopes_disabled().get(alt=alt)
        assert signed_in.post(f"/desk/places/photos/{photo.public_id}/move/", {"to": to}).status_code == 302

    assert shown() == ["东门", "大厅", "药箱"]
    move("药箱", "earlier")
    assert shown() == ["东门", "药箱", "大厅"]
    move("东门", "later")
    assert shown() == ["药箱", "东门", "大厅"]
    move("药箱", "earlier")  # it is the first already
    assert shown() == ["药箱", "东门", "大厅"]
    assert "封面" in signed_in.get(address).content.decode()
    neighbour = post(tree.shenzhen)
    photo = PlacePhoto.objects.with_scopes_disabled().get(alt="大厅")
    assert sign_in(neighbour).post(f"/desk/places/photos/{photo.public_id}/move/").status_code == 404


def test_a_verifier_goes_through_the_checklist_on_the_spot(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, publish=False, offers=("water",), lon=113.62, lat=34.75)
    cadre = post(tree.zhongyuan, Role.CADRE)
    client = sign_in(cadre)
    address = f"/desk/places/{place.public_id}/verify/"
    page = client.get(address)
    assert page.status_code == 200
    answers = {bound.html_name: "ok" for bound, _more in page.context["form"].checks()}
    assert client.post(address, dict.fromkeys(answers, "not_seen")).status_code == 422
    wrong = {**answers, next(iter(answers)): "wrong", "right_name": "新名字"}
    photo = SimpleUploadedFile("x.jpg", drawn())
    done = client.post(address, {**wrong, "lon": "113.6201", "lat": "34.75", "accuracy_m": "9", "photo": photo})
    assert done.status_code == 302
    place = only_place()
    assert (place.name, place.status, place.verified_by) == ("新名字", PlaceStatus.VERIFIED, cadre)
    look = Verification.objects.with_scopes_disabled().get()
    assert look.metres == 9
    evidence = f"/desk/places/verifications/{look.public_id}/photo/"
    answer = client.get(evidence)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    assert "no-store" in answer["Cache-Control"]
    client.force_login(post(tree.jinshui).user)
    assert client.get(evidence).status_code == 404
    assert Client().get(evidence).status_code == 302


def test_a_suspended_place_is_opened_again_with_a_reason(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    client = sign_in(post(tree.zhongyuan, Role.CADRE))
    base = f"/desk/places/{place.public_id}/"
    client.post(f"{base}withdraw/", {"withdraw-reason": ""})
    assert only_place().status == PlaceStatus.PUBLISHED  # nothing without a reason
    client.post(f"{base}withdraw/", {"withdraw-reason": "漏水", "withdraw-until": "2020-01-01"})
    assert only_place().status == PlaceStatus.PUBLISHED  # nor until a day that is over
    until = (timezone.localdate() + timedelta(days=9)).isoformat()
    client.post(f"{base}withdraw/", {"withdraw-reason": "漏水", "withdraw-until": until})
    assert until in client.get(base).content.decode()
    client.post(f"{base}resume/", {"resume-reason": "修好了"})
    assert only_place().status == PlaceStatus.PUBLISHED
    assert "修好了" in client.get(base).content.decode()


def test_the_edit_page_tells_who_changed_which_field_from_what_to_what(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan, address="旧地址")
    keeper = post(tree.zhongyuan, Role.KEEPER, name="李站长")
    facts = services.facts_of(place, offers=())
    changed = services.PlaceFacts(
        **{**{f: getattr(facts, f) for f in facts.__slots__}, "address": "新地址", "capacity": 8}
    )
    services.change_place(place, changed, revision=place.revision, actor=keeper)
    page = sign_in(keeper).get(f"/desk/places/{place.public_id}/change/").content.decode()
    for words in ("李站长", "<del>旧地址</del>", "<ins>新地址</ins>", "<ins>8</ins>"):
        assert words in page


def test_a_union_adds_a_word_and_offers_it(sign_in: Any, tree: UnionTree, post: PostMaker) -> None:
    client = sign_in(post(tree.zhongyuan, Role.CADRE))
    client.post("/desk/places/words/", {"name_zh": "理发", "name_en": "Haircuts"})
    assert "理发" in client.get("/desk/places/new/").content.decode()
    assert client.get("/desk/places/words/haircuts/").status_code == 200
    client.force_login(post(tree.jinshui).user)
    assert client.get("/desk/places/words/haircuts/").status_code == 404
    assert "理发" not in client.get("/desk/places/words/").content.decode()


def test_rules_of_care_are_set_by_administrators_alone(
    sign_in: Any, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    Place.objects.with_scopes_disabled().update(verified_at=timezone.now() - timedelta(days=80))
    client = sign_in(post(tree.zhongyuan, Role.CADRE))
    assert client.post("/desk/places/care/", {"verify_months": "2"}).status_code == 403
    assert client.get("/desk/places/?care=verify").context["rows"] == []
    client.force_login(post(tree.zhongyuan).user)
    assert client.post("/desk/places/care/", {"verify_months": "99"}).status_code == 422
    assert client.post("/desk/places/care/", {"verify_months": "2"}).status_code == 302
    assert [row["place"] for row in client.get("/desk/places/?care=verify").context["rows"]] == [place]
