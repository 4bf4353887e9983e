"""The desk's pages about partners, and the door for partners themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_scopes import scope
from pytest_django import Settings
from typer.testing import CliRunner

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker
from yizhan.feeds.commands import app
from yizhan.feeds.models import Evidence, Listing, ListingState, Partner, Push
from yizhan.places.models import Place
from yizhan.places.services import close_place
from yizhan.unions.models import AuditEntry, Staff
from yizhan.unions.rights import Role

from .pushes import Clock, Receiver, a_partner, listing, push, serving, verify

LISTS = [
    "partners",
    "coverage",
    "listings",
    "deliveries",
    "dead_letters",
    "red_list",
]


def signed_in(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff.user)
    return client


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with serving(Receiver()) as made:
        yield made


@pytest.fixture
def place(make_place: PlaceMaker, tree: UnionTree) -> Place:
    made = make_place(tree.zhongyuan, name="枫杨驿站")
    verify(made)
    return made


@pytest.fixture
def partner(tree: UnionTree, receiver: Receiver) -> Partner:
    return a_partner(tree.zhengzhou, address=receiver.url).partner


def fields(page: object, **changed: object) -> dict[str, object]:
    """What a browser would post of a form as it is shown."""
    form = page.context["form"]  # type: ignore[attr-defined]
    shown = {name: form[name].value() for name in form.fields}
    return {name: value for name, value in {**shown, **changed}.items() if value not in (None, False)}


@pytest.mark.parametrize("filled", [False, True])
def test_lists_open_empty_and_filled_to_all_who_may_see_them(
    filled: bool, tree: UnionTree, post: PostMaker, place: Place, partner: Partner, receiver: Receiver
) -> None:
    if filled:
        receiver.status = 500
        push(Clock())
        Listing.every.update(died_at=Listing.every.get().changed_at, is_waiting=False)
    for role in (Role.ADMINISTRATOR, Role.READER):
        client = signed_in(post(tree.zhengzhou, role))
        for name in LISTS:
            page = client.get(reverse(f"feeds:{name}"))
            assert page.status_code == 200, name
            if filled and name in {"partners", "coverage", "listings", "deliveries", "dead_letters"}:
                assert "某地图" in page.content.decode(), name
        assert client.get(reverse("feeds:partner", args=[partner.public_id])).status_code == 200
        address = reverse("feeds:create_partner")
        assert client.get(address).status_code == (200 if role == Role.ADMINISTRATOR else 403)
    assert signed_in(post(tree.zhengzhou, Role.FINANCE)).get(reverse("feeds:partners")).status_code == 403


def test_a_partner_is_made_from_a_preset_tried_and_changed(
    tree: UnionTree, post: PostMaker, receiver: Receiver, place: Place
) -> None:
    desk = signed_in(post(tree.zhengzhou))
    address = reverse("feeds:create_partner")
    choices = desk.get(address).content.decode()
    for preset in ("union_app", "amap", "baidu", "tencent", "meituan", "eleme", "didi"):
        assert f"?preset={preset}" in choices
    form = desk.get(address + "?preset=union_app")
    refused = desk.post(address + "?preset=union_app", fields(form, address="http://10.0.0.1/", name=""))
    assert {"name"} <= set(refused.context["form"].errors)
    refused = desk.post(address + "?preset=union_app", fields(form, address="https://localhost/x", mapping="a = b"))
    assert {"mapping"} <= set(refused.context["form"].errors)

    shown = desk.post(address + "?preset=union_app", fields(form, address=receiver.url, contact="张工 13900001111"))
    made = shown.context["made"]
    assert made.key in shown.content.decode()
    assert made.secret in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    assert made.partner.datum == "GCJ-02"
    page = reverse("feeds:partner", args=[made.partner.public_id])
    assert made.key not in desk.get(page).content.decode()

    assert desk.post(page + "test/")["Location"] == page
    (event,) = receiver.events()
    assert (event["type"], event["data"]["test"]) == ("org.yizhan.push.test", True)
    assert Push.every.get().is_test

    form = desk.get(page + "change/")
    desk.post(page + "change/", fields(form, kinds=["restaurant"], areas="410102 4101"))
    made.partner.refresh_from_db()
    assert (made.partner.kinds, made.partner.areas, made.partner.contact) == (
        ["restaurant"],
        ["410102", "4101"],
        "张工 13900001111",
    )
    with scope(union=tree.zhengzhou.path):
        acts = set(AuditEntry.objects.filter(action__startswith="feeds.").values_list("action", flat=True))
        assert "13900001111" not in json.dumps(list(AuditEntry.objects.values_list("details", flat=True)))
    assert acts == {"feeds.partner_created", "feeds.partner_tested", "feeds.partner_changed"}


def test_keys_pauses_and_everything_again_from_the_desk(
    tree: UnionTree, post: PostMaker, partner: Partner, receiver: Receiver, place: Place
) -> None:
    desk, page = signed_in(post(tree.zhengzhou)), reverse("feeds:partner", args=[partner.public_id])
    push(Clock())
    assert desk.post(page + "key/").context["made"].key
    assert desk.post(page + "secret/").context["made"].secret
    desk.post(page + "pause/")
    Place.objects.with_scopes_disabled().update(name="新名字")
    assert push(Clock()) == 0
    desk.post(page + "resume/")
    assert push(Clock()) == 1
    desk.post(page + "everything/")
    assert push(Clock()) == 1
    assert len({event["id"] for event in receiver.events()}) == 3


def test_dead_letters_are_sent_again_from_the_desk_and_the_command_line(
    tree: UnionTree, post: PostMaker, partner: Partner, receiver: Receiver, place: Place
) -> None:
    desk = signed_in(post(tree.zhengzhou))
    refusal = {"results": [{"id": str(place.public_id), "status": "refused", "reason": "no such road"}]}
    receiver.body = json.dumps(refusal).encode()
    push(Clock())
    assert "no such road" in desk.get(reverse("feeds:dead_letters")).content.decode()
    desk.post(reverse("feeds:replay_dead_letters", args=[partner.public_id]), {"listing": "nonsense"})
    assert push(Clock()) == 0
    found = listing(partner, place)
    desk.post(reverse("feeds:replay_dead_letters", args=[partner.public_id]), {"listing": str(found.public_id)})
    assert push(Clock()) == 1

    result = CliRunner().invoke(app, ["again", "--partner", str(partner.public_id)])
    assert result.exit_code == 0
    receiver.body = b""
    assert push(Clock()) == 1
    status = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)["partners"]
    assert [(row["name"], row["waiting"], row["dead"]) for row in status] == [("某地图", 0, 0)]
    assert CliRunner().invoke(app, ["again", "--partner", "nonsense"]).exit_code == 2
    assert CliRunner().invoke(app, ["test", "--partner", str(partner.public_id)]).exit_code in {0, 1}


def test_a_partner_says_with_its_key_what_is_live_and_reads_what_we_know(
    partner: Partner, tree: UnionTree, receiver: Receiver, place: Place, post: PostMaker
) -> None:
    made = a_partner(tree.zhengzhou, name="另一地图", address=receiver.url)
    push(Clock())
    door, client = "/api/partners/listings", Client()
    said = {"places": [{"place": str(place.public_id), "state": "live", "their_id": "B0FF", "note": "ok"}]}
    assert client.post(door, said, content_type="application/json").status_code == 401
    for key in ("yzf_wrong", "nonsense"):
        answer = client.post(door, said, content_type="application/json", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 401
    mine = {"Authorization": f"Bearer {made.key}"}
    for _again in range(2):
        answer = client.post(door, said, content_type="application/json", headers=mine)
        assert answer.json() == {"noted": 1}
    found = listing(made.partner, place)
    assert (found.state, found.their_id) == (ListingState.LIVE, "B0FF")
    assert listing(partner, place).state == ListingState.ACCEPTED
    (row,) = client.get(door + "?state=live", headers=mine).json()["listings"]
    assert (row["place"], row["wanted"], row["waiting"]) == (str(place.public_id), True, False)

    stranger = {"places": [{"place": str(partner.public_id), "state": "live"}]}
    refused = client.post(door, stranger, content_type="application/json", headers=mine)
    assert refused.status_code == 422
    Partner.every.filter(pk=made.partner.pk).update(requests_per_minute=1)
    answers = [client.get(door, headers=mine) for _ in range(3)]
    waits = [int(answer["Retry-After"]) for answer in answers if answer.status_code == 429]
    assert waits
    assert all(1 <= wait <= 60 for wait in waits)


def test_a_closed_place_on_a_map_is_red_until_somebody_looked(
    partner: Partner, tree: UnionTree, receiver: Receiver, place: Place, post: PostMaker
) -> None:
    push(Clock())
    close_place(place, actor=post(tree.zhongyuan))
    push(Clock())
    desk = signed_in(post(tree.zhongyuan, Role.CADRE))
    file = SimpleUploadedFile(
        "export.csv", f"编号,名称,经度,纬度\n{place.public_id},枫杨驿站,{place.lon},{place.lat}\n".encode()
    )
    above = signed_in(post(tree.zhengzhou))
    address = reverse("feeds:partner_exports", args=[partner.public_id])
    moved = above.post(address, {"file": file, "datum": ""})
    assert moved.status_code == 302
    shown = above.get(moved["Location"]).content.decode()
    assert "枫杨驿站" in shown
    for form in ("csv", "xlsx"):
        assert above.get(moved["Location"] + f"findings/{form}/").status_code == 200

    red = desk.get(reverse("feeds:red_list")).content.decode()
    assert "枫杨驿站" in red
    found = listing(partner, place)
    page = reverse("feeds:taken_down", args=[found.public_id])
    assert desk.post(page, {"note": ""}).status_code == 422
    assert desk.post(page, {"note": "看过手机了"})["Location"] == reverse("feeds:red_list")
    assert "枫杨驿站" not in desk.get(reverse("feeds:red_list")).content.decode()
    evidence = desk.get(reverse("feeds:listing", args=[found.public_id])).content.decode()
    assert "看过手机了" in evidence
    assert "export.csv" in evidence
    assert Evidence.every.filter(listing=found, by__isnull=False).count() == 1
    assert desk.get(reverse("feeds:export_listings", args=["csv"]))["X-Row-Count"] == "1"


def test_a_file_that_is_none_is_refused_at_its_field(partner: Partner, tree: UnionTree, post: PostMaker) -> None:
    desk, address = signed_in(post(tree.zhengzhou)), reverse("feeds:partner_exports", args=[partner.public_id])
    for content in (b"{", b"{}", b'{"features": 7}', b"a,b\n1,2\n", b"\x00\x01", b"PK\x03\x04nonsense"):
        page = desk.post(address, {"file": SimpleUploadedFile("x.csv", content), "datum": ""})
        assert page.status_code == 422, content
        assert page.context["form"].errors


def test_a_neighbour_sees_nothing_and_changes_nothing(
    partner: Partner, tree: UnionTree, place: Place, post: PostMaker, receiver: Receiver
) -> None:
    push(Clock())
    found = listing(partner, place)
    neighbour, reader = signed_in(post(tree.shenzhen)), signed_in(post(tree.zhengzhou, Role.READER))
    assert neighbour.get(reverse("feeds:partner", args=[partner.public_id])).status_code == 404
    assert neighbour.get(reverse("feeds:listing", args=[found.public_id])).status_code == 404
    for name in ("test_partner", "pause_partner", "rotate_partner_key", "send_everything", "replay_dead_letters"):
        address = reverse(f"feeds:{name}", args=[partner.public_id])
        assert neighbour.post(address).status_code == 404
        assert reader.post(address).status_code == 403
    for name in LISTS:
        assert "某地图" not in neighbour.get(reverse(f"feeds:{name}")).content.decode()
    with scope(union=tree.shenzhen.path):
        for model in (Partner, Listing, Push, Evidence):
            assert model.objects.count() == 0
    assert mail.outbox == []


def test_lists_ask_the_database_no_more_for_many_rows_than_for_few(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, receiver: Receiver
) -> None:
    desk = signed_in(post(tree.zhengzhou))
    desk.get(reverse("feeds:partners"))  # what is asked once a session

    def queries() -> dict[str, int]:
        verify(make_place(tree.zhongyuan), make_place(tree.jinshui))
        push(Clock())
        counts = {}
        for name in LISTS:
            with CaptureQueriesContext(connection) as asked:
                desk.get(reverse(f"feeds:{name}"))
            counts[name] = len(asked)
        return counts

    a_partner(tree.zhengzhou, name="甲图", address=receiver.url)
    few = queries()
    a_partner(tree.zhengzhou, name="乙图", address=receiver.url)
    assert queries() == few
