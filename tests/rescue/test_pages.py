"""Rescue in the browser's eyes: rider, rescuer and desk lead one call through by buttons."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.conftest import WorkerMaker
from tests.rescue.rescue_makers import HERE, Street, fresh, open_offers, photo
from yizhan.rescue.models import CallMessage, CallState, Duty, RescueCall, Rescuer
from yizhan.rescue.services.answers import accept_offer
from yizhan.rescue.services.dispatching import run_round
from yizhan.rescue.tokens import token_for
from yizhan.unions.models import Staff, Worker


def browser(person: Staff | Worker | Rescuer | None) -> Client:
    client = Client(raise_request_exception=True)
    if person is not None:
        assert person.user is not None
        client.force_login(person.user)
    return client


def told(**more: Any) -> dict[str, Any]:
    return {"request_id": str(uuid4()), "problem": "flat_tyre", "lon": HERE[0], "lat": HERE[1], **more}


def only_call() -> RescueCall:
    found: RescueCall = RescueCall.objects.with_scopes_disabled().get()
    return found


def test_a_call_is_led_through_by_buttons_from_the_road_to_the_stars(street: Street, worker: WorkerMaker) -> None:
    rider, rescuer = browser(worker(street.tree.zhengzhou)), street.rescuer(on_duty=False)
    phone = browser(rescuer)
    on = phone.post(reverse("rescue:turn", args=["on"]), {"lon": HERE[0], "lat": HERE[1] + 0.01})
    assert on.status_code == 302
    answer = rider.post(reverse("rescue:new"), told(words="红色电动车"))
    assert answer.status_code == 302
    live = answer["Location"]
    run_round()
    page = phone.get(reverse("rescue:duty")).content.decode()
    assert "红色电动车" not in page  # who calls is told once it is taken
    (offer,) = open_offers(only_call())
    assert phone.post(reverse("rescue:answer", args=[offer.public_id, "accept"])).status_code == 302
    page = phone.get(reverse("rescue:duty")).content.decode()
    assert "红色电动车" in page
    shown = rider.get(live).content.decode()
    assert rescuer.name in shown
    call = only_call()
    for step in ("on-way", "arrived"):
        phone.post(reverse("rescue:job_step", args=[call.public_id, step]), {"lon": HERE[0], "lat": HERE[1]})
    prefix = call.public_id.hex
    without = phone.post(
        reverse("rescue:job_step", args=[call.public_id, "done"]), {f"{prefix}-request_id": uuid4()}, follow=True
    )
    assert fresh(call).state == CallState.ARRIVED
    assert "photo" in without.content.decode() or "照片" in without.content.decode()
    done = {
        f"{prefix}-request_id": str(uuid4()),
        f"{prefix}-photo": SimpleUploadedFile("x.jpg", photo(), "image/jpeg"),
        f"{prefix}-parts": "内胎",
    }
    phone.post(reverse("rescue:job_step", args=[call.public_id, "done"]), done)
    assert fresh(call).state == CallState.DONE
    rider.post(f"{live}confirm/", {"stars": "5", "words": "谢谢"})
    ended = fresh(call)
    assert (ended.state, ended.stars, ended.parts) == (CallState.CONFIRMED, 5, "内胎")
    desk = browser(street.boss).get(ended.get_absolute_url()).content.decode()
    assert "内胎" in desk
    assert (rider.get(live).status_code, phone.get(reverse("rescue:duty")).status_code) == (200, 200)


def test_an_accident_without_a_word_about_injury_is_not_taken(street: Street, worker: WorkerMaker) -> None:
    rider = browser(worker(street.tree.zhengzhou))
    page = rider.get(reverse("rescue:new")).content.decode()
    assert "tel:120" in page
    assert "tel:110" in page
    assert rider.post(reverse("rescue:new"), told(problem="accident")).status_code == 422
    assert rider.post(reverse("rescue:new"), told(problem="accident", is_injured="yes")).status_code == 302
    assert only_call().is_injured


def test_a_stranger_leaves_a_number_and_follows_by_the_link_alone(street: Street) -> None:
    stranger = browser(None)
    assert stranger.post(reverse("rescue:new"), told()).status_code == 422
    answer = stranger.post(reverse("rescue:new"), told(contact_phone="13800138999"))
    assert answer.status_code == 302
    assert browser(None).get(answer["Location"]).status_code == 200
    assert stranger.get(reverse("rescue:live", args=["no-such-token"])).status_code == 404
    again = browser(None).post(reverse("rescue:new"), told(contact_phone="138 0013 8999"))
    assert again.status_code == 422  # the number has a call open; its address is not told


def test_the_form_sent_twice_is_one_call_and_a_worker_is_led_to_the_open_one(
    street: Street, worker: WorkerMaker
) -> None:
    rider = browser(worker(street.tree.zhengzhou))
    first = told()
    address = rider.post(reverse("rescue:new"), first)["Location"]
    assert rider.post(reverse("rescue:new"), first)["Location"] == address
    assert rider.post(reverse("rescue:new"), told())["Location"] == address
    assert rider.get(reverse("rescue:new"))["Location"] == address


@pytest.mark.parametrize(
    ("lon", "lat"), [("nan", "34.7"), ("34.7466", "113.6"), ("2.35", "48.85"), ("", "34.7"), ("x", "34.7")]
)
def test_positions_that_are_none_are_refused(street: Street, worker: WorkerMaker, lon: str, lat: str) -> None:
    rider = browser(worker(street.tree.zhengzhou))
    assert rider.post(reverse("rescue:new"), told(lon=lon, lat=lat)).status_code == 422
    assert not RescueCall.objects.with_scopes_disabled().exists()


def test_off_duty_nothing_is_known_and_nothing_is_offered(street: Street) -> None:
    rescuer = street.rescuer()
    call = street.call()
    run_round()
    assert len(open_offers(call)) == 1
    phone = browser(rescuer)
    phone.post(reverse("rescue:turn", args=["off"]))
    assert open_offers(call) == []
    duty = Duty.objects.with_scopes_disabled().get(rescuer=rescuer)
    assert (duty.lon, duty.lat, duty.position_at) == (None, None, None)
    told = phone.post("/api/rescue/position", {"lon": HERE[0], "lat": HERE[1]}, content_type="application/json")
    assert told.json() == {"on_duty": False}
    run_round()
    assert open_offers(call) == []


def test_a_rescuer_sees_no_call_of_others(street: Street) -> None:
    mine, other = street.rescuer(metres=100), street.rescuer(metres=4000)
    call = street.call(words="只给接单的人看")
    run_round()
    (offer,) = open_offers(call)
    assert offer.rescuer_id == mine.pk
    stranger = browser(other)
    assert stranger.post(reverse("rescue:answer", args=[offer.public_id, "accept"])).status_code == 404
    assert stranger.post(reverse("rescue:job_step", args=[call.public_id, "arrived"])).status_code == 404
    accept_offer(offer)
    assert "只给接单的人看" not in stranger.get(reverse("rescue:duty")).content.decode()
    assert "只给接单的人看" in browser(mine).get(reverse("rescue:duty")).content.decode()


def test_they_write_to_one_another_once(street: Street) -> None:
    rescuer = street.rescuer()
    call = street.call()
    run_round()
    accept_offer(open_offers(call)[0])
    live = reverse("rescue:live", args=[token_for(call.request_id)])
    said = {"request_id": str(uuid4()), "text": "我在桥下"}
    for _turn in range(2):
        browser(None).post(f"{live}say/", said)
    browser(rescuer).post(reverse("rescue:job_step", args=[call.public_id, "say"]), {"text": "三分钟到"})
    assert CallMessage.objects.with_scopes_disabled().count() == 2
    assert "三分钟到" in browser(None).get(f"{live}now/").content.decode()
    assert "我在桥下" in browser(street.boss).get(call.get_absolute_url()).content.decode()


def test_the_desk_sends_someone_and_others_hear_that_it_is_gone(street: Street) -> None:
    near, far = street.rescuer(metres=100), street.rescuer(metres=3000)
    call = street.call()
    run_round()
    (offer,) = open_offers(call)
    desk = browser(street.boss)
    sent = {"rescuer": str(far.public_id), "seen": fresh(call).version, "back": "board"}
    assert desk.post(reverse("rescue:take", args=[call.public_id, "assign"]), sent).status_code == 302
    assert fresh(call).rescuer_id == far.pk
    late = browser(near).post(reverse("rescue:answer", args=[offer.public_id, "accept"]), follow=True)
    assert fresh(call).rescuer_id == far.pk
    assert late.status_code == 200
    stale = {"rescuer": str(near.public_id), "seen": 1}
    desk.post(reverse("rescue:take", args=[call.public_id, "assign"]), stale)
    assert fresh(call).rescuer_id == far.pk  # the desk had not seen what happened since


def test_every_page_of_the_desk_opens_and_its_lists_take_few_queries(
    street: Street, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    desk = browser(street.boss)
    names = ("board", "board_part", "history", "rescuers", "new_rescuer", "coverage")
    for name in names:
        assert desk.get(reverse(f"rescue:{name}")).status_code == 200
    for number in range(6):
        street.rescuer(metres=100.0 * number)
    calls = [street.call(east=40.0 * number) for number in range(8)]
    run_round()
    for offer in open_offers(calls[0]) + open_offers(calls[1]):
        accept_offer(offer)
    for name in ("board", "history", "rescuers"):
        desk.get(reverse(f"rescue:{name}"))
        with django_assert_max_num_queries(12):
            page = desk.get(reverse(f"rescue:{name}"))
        assert page.status_code == 200
    assert desk.get(reverse("rescue:coverage")).json()["features"]
    assert "13800138" not in desk.get(reverse("rescue:board")).content.decode()


def test_a_rescuer_is_entered_changed_and_taken_off_the_list(street: Street, worker: WorkerMaker) -> None:
    person = worker(street.tree.zhengzhou)
    desk = browser(street.boss)
    facts = {
        "union": str(street.boss.union.public_id), "name": "王师傅", "phone": person.user.phone, "skills": ["chain"],
        "vehicle": "e_bike", "spare_batteries": 1, "lon": HERE[0], "lat": HERE[1], "reach_m": 4000, "most_at_once": 1,
    }  # fmt: skip
    assert desk.post(reverse("rescue:new_rescuer"), facts).status_code == 302
    made = Rescuer.objects.with_scopes_disabled().get()
    assert (made.user_id, made.kind) == (person.user_id, "mobile")
    assert desk.post(reverse("rescue:new_rescuer"), facts).status_code == 422  # once
    assert desk.post(made.get_absolute_url(), {**facts, "name": "王晓师傅"}).status_code == 302
    desk.post(reverse("rescue:switch_rescuer", args=[made.public_id]), {"active": "no"})
    made = Rescuer.objects.with_scopes_disabled().get()
    assert (made.name, made.is_active) == ("王晓师傅", False)
    assert browser(person).get(reverse("rescue:duty")).status_code == 404
