"""Pages and programs of counters and workers: who sees what, and what the browser part is answered."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.benefits.conftest import Kitchen
from tests.benefits.counter_people import WorkersPhone, at_counter, request
from yizhan.benefits import codes
from yizhan.benefits.models import BenefitOffer, CounterPost, Phone, Redemption, VoucherBatch
from yizhan.benefits.services.exclusions import exclude
from yizhan.benefits.services.phones import block
from yizhan.unions.models import Staff, User, Worker
from yizhan.unions.rights import Role


@pytest.fixture
def now() -> datetime:
    return timezone.now()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def till(offer: BenefitOffer) -> Client:
    """A cashier's browser."""
    return signed_in(at_counter(offer.place).user)


def scan(client: Client, offer: BenefitOffer, text: str, **more: Any) -> Any:
    address = f"/api/benefits/counter/{offer.place.public_id}/redemptions"
    body = {"request_id": str(uuid4()), "device": "phone-0001", "offer": str(offer.public_id), "text": text, **more}
    return client.post(address, body, content_type="application/json")


def test_a_phone_is_certified_by_what_its_browser_sends(rider: Worker) -> None:
    client = signed_in(rider.user)
    me = client.get("/api/benefits/phone").json()
    assert abs(me["server_time"] - timezone.now().timestamp()) < 60
    asked = {name: base64.urlsafe_b64encode(part).decode().rstrip("=")
             for name, part in request(ec.generate_private_key(ec.SECP256R1())).items()}  # fmt: skip
    body = {"public_key": asked["point"], "proof": asked["proof"], "name": "手机"}
    answer = client.post("/api/benefits/phone/certificates", body, content_type="application/json")
    assert answer.status_code == 201
    assert len(base64.urlsafe_b64decode(answer.json()["certificate"] + "==")) == codes.ISSUED_BYTES
    body["proof"] = base64.urlsafe_b64encode(b"\0" * 64).decode()
    assert client.post("/api/benefits/phone/certificates", body, content_type="application/json").status_code == 422
    assert "phone" not in str(me)


def test_strangers_and_staff_get_no_certificate(offer: BenefitOffer, till: Client) -> None:
    assert Client().get("/api/benefits/phone").status_code == 401
    assert till.get("/api/benefits/phone").status_code == 403
    assert Client().get("/api/benefits/counter").status_code == 401


def test_the_api_asks_for_the_sessions_token(offer: BenefitOffer) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(at_counter(offer.place).user)
    assert scan(client, offer, "x").status_code == 403
    token = client.get("/api/benefits/counter").json()["csrf"]
    address = f"/api/benefits/counter/{offer.place.public_id}/redemptions"
    body = {"request_id": str(uuid4()), "device": "phone-0001", "offer": str(offer.public_id), "text": "x"}
    answer = client.post(address, body, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.status_code == 409


def test_the_pack_holds_a_day_without_a_network_and_names_no_worker(
    offer: BenefitOffer, till: Client, rider: Worker, now: datetime
) -> None:
    phone = WorkersPhone.of(rider, now)
    block(phone.row, actor=rider.user)
    pack = till.get("/api/benefits/counter").json()
    (counter,) = pack["counters"]
    assert counter["name"] == offer.place.name
    assert [(one["name"], one["worker_fen"]) for one in counter["offers"]] == [("九元套餐", 900)]
    assert pack["blocked"] == [phone.issued[3:11].hex()]
    assert len(pack["house_keys"]) == 1
    assert rider.user.name not in str(pack)


def test_a_scan_is_answered_with_what_to_take_and_how_many_there_were(
    offer: BenefitOffer, till: Client, rider: Worker, now: datetime
) -> None:
    phone = WorkersPhone.of(rider, now)
    answer = scan(till, offer, phone.code(now))
    assert answer.status_code == 200
    done = answer.json()
    assert (done["worker_fen"], done["today"]) == (900, {"count": 1, "worker_fen": 900})
    assert rider.user.name not in answer.text
    refused = scan(till, offer, "https://example.cn")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_a_code")
    address = f"/api/benefits/counter/{offer.place.public_id}/redemptions/{done['id']}/void"
    assert till.post(address, {"reason": "扫错"}, content_type="application/json").json()["count"] == 0


def test_a_queue_is_answered_item_by_item(offer: BenefitOffer, till: Client, rider: Worker, now: datetime) -> None:
    phone = WorkersPhone.of(rider, now)
    items = [
        {"request_id": str(uuid4()), "offer": str(offer.public_id), "text": text, "scanned_at": now.isoformat()}
        for text in (phone.code(now), "nonsense")
    ]
    address = f"/api/benefits/counter/{offer.place.public_id}/uploads"
    for _attempt in range(2):
        answer = till.post(address, {"device": "phone-0001", "items": items}, content_type="application/json").json()
        assert [one["state"] for one in answer["items"]] == ["accepted", "exception"]
    assert Redemption.objects.with_scopes_disabled().count() == 1


def test_a_counter_next_door_does_not_exist_for_a_cashier(
    offer: BenefitOffer, kitchen: Kitchen, make_place: Any, rider: Worker, now: datetime
) -> None:
    next_door = make_place(kitchen.tree.zhongyuan, name="隔壁面馆", kind="restaurant")
    for stranger in (at_counter(next_door), kitchen.post(kitchen.tree.jinshui), kitchen.post(kitchen.tree.shifo)):
        client = signed_in(stranger.user)
        assert scan(client, offer, WorkersPhone.of(rider, now).code(now)).status_code == 404
        assert offer.place.name not in client.get("/api/benefits/counter").text
        assert client.get(reverse("benefits:merchant", args=[offer.place.public_id])).status_code in {403, 404}


def test_a_cashier_sees_the_counter_and_nothing_of_the_desk(offer: BenefitOffer, till: Client) -> None:
    assert till.get("/desk/")["Location"] == "/counter/"
    for name in ("unions:unions", "unions:posts", "unions:workers", "places:places", "benefits:merchants",
                 "benefits:vouchers"):  # fmt: skip
        assert till.get(reverse(name)).status_code == 403, name
    merchant = signed_in(at_counter(offer.place, Role.MERCHANT).user)
    assert merchant.get("/desk/")["Location"] == "/desk/merchant/"
    assert merchant.get("/desk/merchant/")["Location"] == f"/desk/merchant/{offer.place.public_id}/"
    assert merchant.get(reverse("unions:workers")).status_code == 403


def test_shells_that_phones_keep_are_the_same_for_everyone_and_hold_no_token(offer: BenefitOffer, till: Client) -> None:
    for address in ("/counter/", "/meals/code/"):
        kept = Client().get(address)
        assert kept.status_code == 200
        assert "csrfmiddlewaretoken" not in kept.text


def test_a_merchant_adds_cashiers_at_their_own_counter_only(
    offer: BenefitOffer, kitchen: Kitchen, make_place: Any
) -> None:
    owner = at_counter(offer.place, Role.MERCHANT)
    client = signed_in(owner.user)
    address = reverse("benefits:counter_join", args=[offer.place.public_id])
    page = client.post(address, {"name": "小李", "username": "xiaoli", "role": "cashier"})
    assert page.status_code == 200
    post = CounterPost.objects.with_scopes_disabled().get(staff__user__username="xiaoli")
    assert (post.place, post.staff.role) == (offer.place, "cashier")
    # A merchant makes no merchants, whatever the form is made to say.
    client.post(address, {"name": "小王", "username": "xiaowang", "role": "merchant"})
    assert not Staff.objects.with_scopes_disabled().filter(user__username="xiaowang").exists()
    next_door = make_place(kitchen.tree.zhongyuan, name="隔壁面馆", kind="restaurant")
    elsewhere = reverse("benefits:counter_join", args=[next_door.public_id])
    assert client.post(elsewhere, {"name": "甲", "username": "jiajia", "role": "cashier"}).status_code == 404
    new_password = reverse("benefits:counter_password", args=[offer.place.public_id, post.public_id])
    assert client.post(new_password).status_code == 200
    leave = reverse("benefits:counter_leave", args=[offer.place.public_id, post.public_id])
    fresh = scan(signed_in(post.staff.user), offer, "x")
    assert (fresh.status_code, "密码" in fresh.text) == (403, True)  # their own password comes first
    User.objects.filter(pk=post.staff.user_id).update(must_change_password=False)
    assert scan(signed_in(post.staff.user), offer, "x").status_code == 409
    assert client.post(leave).status_code == 302
    assert scan(signed_in(post.staff.user), offer, "x").status_code == 404


def test_two_taps_from_the_plate_to_the_live_ticket(offer: BenefitOffer, rider: Worker) -> None:
    client = signed_in(rider.user)
    choose = client.get(reverse("benefits:meals_at", args=[offer.place.public_id]))
    confirm = reverse("benefits:confirm_meal", args=[offer.place.public_id, offer.public_id])
    assert confirm in choose.text
    request_id = str(uuid4())
    first = client.post(confirm, {"request_id": request_id, "position": "113.62,34.75"})
    again = client.post(confirm, {"request_id": request_id})
    assert first["Location"] == again["Location"]
    assert client.get(first["Location"]).status_code == 200
    live = client.get(first["Location"] + "now/").json()
    assert live["text"].startswith("81")
    assert first["Location"] in client.get("/meals/mine/").text


def test_a_ticket_is_its_workers_alone(offer: BenefitOffer, rider: Worker, kitchen: Kitchen) -> None:
    confirm = reverse("benefits:confirm_meal", args=[offer.place.public_id, offer.public_id])
    ticket = signed_in(rider.user).post(confirm, {"request_id": str(uuid4())})["Location"]
    for address in (ticket, ticket + "now/"):
        assert signed_in(kitchen.worker().user).get(address).status_code == 404
        assert Client().get(address).status_code == 302


def test_why_not_is_said_before_the_second_tap(kitchen: Kitchen, rider: Worker) -> None:
    offer = kitchen.offer(kitchen.programme(occupations=["sanitation"]))
    confirm = reverse("benefits:confirm_meal", args=[offer.place.public_id, offer.public_id])
    client = signed_in(rider.user)
    page = client.get(confirm)
    assert page.context["refused"].code == "occupation"
    assert '<button class="button button-primary button-block"' not in page.text
    refused = client.post(confirm, {"request_id": str(uuid4())})
    assert (refused.status_code, refused.context["refused"].code) == (409, "occupation")


def test_a_worker_reads_why_they_are_kept_out_and_appeals_once(
    offer: BenefitOffer, rider: Worker, kitchen: Kitchen
) -> None:
    staff = kitchen.post(kitchen.tree.zhongyuan)
    made = exclude(worker=rider, programme=offer.programme, union=offer.programme.union, reason="转卖餐券", actor=staff)
    client = signed_in(rider.user)
    assert "转卖餐券" in client.get("/meals/mine/").text
    address = reverse("benefits:appeal", args=[made.public_id])
    assert client.post(address, {"words": "那天不是我"}).status_code == 302
    assert signed_in(kitchen.worker().user).get(address).status_code == 404


def test_a_worker_blocks_a_lost_phone_and_nobody_elses(rider: Worker, kitchen: Kitchen, now: datetime) -> None:
    phone = WorkersPhone.of(rider, now)
    address = reverse("benefits:block_phone", args=[phone.row.public_id])
    assert signed_in(kitchen.worker().user).post(address).status_code == 404
    assert signed_in(rider.user).post(address).status_code == 302
    assert Phone.objects.with_scopes_disabled().get().revoked_at is not None


def test_restaurants_are_public_with_price_and_whether_they_are_open(offer: BenefitOffer) -> None:
    page = Client().get("/meals/")
    assert offer.place.name in page.text
    assert [one.least_fen for one in page.context["found"]] == [900]
    assert Client().get("/meals/", {"q": "没有这家"}).context["found"] == []


def test_vouchers_come_as_a_file_once(kitchen: Kitchen) -> None:
    paper = kitchen.offer(kitchen.programme(takes_paper=True))
    client = signed_in(kitchen.post(kitchen.tree.zhongyuan, Role.CADRE).user)
    said = {
        "programme": str(paper.programme.public_id),
        "count": 12,
        "purpose": "环卫工人",
        "valid_until": (timezone.localdate() + timedelta(days=9)).isoformat(),
    }
    answer = client.post(reverse("benefits:new_vouchers"), said)
    assert (answer["Content-Type"], answer["X-Row-Count"]) == ("application/pdf", "12")
    batch = VoucherBatch.objects.with_scopes_disabled().get()
    assert "环卫工人" in client.get(reverse("benefits:vouchers")).text
    block_address = reverse("benefits:block_vouchers", args=[batch.public_id])
    neighbour = signed_in(kitchen.post(kitchen.tree.jinshui).user)
    assert neighbour.post(block_address, {"reason": "x"}).status_code == 404
    assert client.post(block_address, {"sheet": 1, "reason": "丢了"}).status_code == 302
    assert batch.vouchers(manager="objects").with_scopes_disabled().filter(revoked_at=None).count() == 2


def test_pages_ask_the_database_no_more_for_many_than_for_few(
    kitchen: Kitchen, rider: Worker, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    offers = [kitchen.offer() for _n in range(5)]
    client = signed_in(rider.user)
    for offer in offers:
        confirm = reverse("benefits:confirm_meal", args=[offer.place.public_id, offer.public_id])
        assert client.post(confirm, {"request_id": str(uuid4())}).status_code == 302
    with django_assert_max_num_queries(14):
        client.get("/meals/mine/")
    with django_assert_max_num_queries(10):
        Client().get("/meals/")
    merchant = signed_in(at_counter(offers[0].place, Role.MERCHANT).user)
    with django_assert_max_num_queries(24):
        merchant.get(reverse("benefits:merchant", args=[offers[0].place.public_id]))
