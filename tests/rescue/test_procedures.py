"""When it goes wrong: nobody comes, nobody is there, it was no call, the place is unsafe, “done” was a slip."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.conftest import PostMaker
from tests.rescue.rescue_makers import HERE, Street, fresh, kinds, open_offers, photo
from yizhan.rescue.models import By, CallState, OfferState, RescueCall, Rescuer
from yizhan.rescue.services import answers
from yizhan.rescue.services.calls import confirm_done, reopen_call, say_nobody_came, say_safe, say_unsafe
from yizhan.rescue.services.desk import assign_call, mark_false
from yizhan.rescue.services.dispatching import run_round
from yizhan.rescue.tokens import token_for
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import InboxMessage
from yizhan.unions.rights import Role

pytestmark = pytest.mark.django_db


def held(street: Street, rescuer: Rescuer | None = None) -> tuple[RescueCall, Rescuer]:
    call, who = street.call(), rescuer or street.rescuer()
    assign_call(call, who, actor=street.boss)
    return call, who


def late(call: RescueCall) -> None:
    before = timezone.now() - timedelta(hours=1)
    RescueCall.objects.with_scopes_disabled().filter(pk=call.pk).update(
        received_at=before, waiting_since=before, due_at=before + timedelta(minutes=20)
    )


def told(street: Street) -> int:
    return int(InboxMessage.objects.with_scopes_disabled().filter(post=street.boss).count())


def test_a_helper_who_does_not_come_is_replaced_and_the_desk_is_told(street: Street) -> None:
    call, missing = held(street)
    with pytest.raises(RuleBroken):  # not late yet
        say_nobody_came(call)
    late(call)
    before = told(street)
    say_nobody_came(call, words="等了一小时")
    now = fresh(call)
    assert (now.state, now.rescuer, now.slot) == (CallState.SUBMITTED, None, None)
    assert told(street) == before + 1
    other = street.rescuer(metres=900)
    run_round()
    assert [offer.rescuer_id for offer in open_offers(call)] == [other.pk]  # never again the one who did not come
    assert missing.pk != other.pk


def test_who_says_to_have_arrived_and_is_not_there_is_contradicted_at_once(street: Street) -> None:
    call, who = held(street)
    answers.arrive(call, rescuer=who, position=HERE)
    say_nobody_came(call)
    assert fresh(call).state == CallState.SUBMITTED
    with pytest.raises(RuleBroken):
        answers.finish(call, rescuer=who, photo=photo(), request_id=uuid4())


def test_nobody_can_be_missing_from_a_call_that_nobody_holds(street: Street) -> None:
    call = street.call()
    late(call)
    with pytest.raises(RuleBroken):
        say_nobody_came(call)
    assert kinds(call) == ["submitted"]


def test_the_rider_who_was_not_found_calls_again_on_the_same_page(street: Street) -> None:
    call, who = held(street)
    answers.arrive(call, rescuer=who, position=HERE)
    before = told(street)
    answers.find_nobody(call, rescuer=who, words="打电话没人接")
    assert (fresh(call).state, told(street)) == (CallState.NO_SHOW, before + 1)
    page = Client().get(reverse("rescue:live", args=[token_for(call.request_id)])).content.decode()
    assert "reopen/" in page
    reopen_call(call, words="在马路对面")
    assert fresh(call).state == CallState.SUBMITTED
    assert RescueCall.objects.with_scopes_disabled().count() == 1


def test_a_false_call_needs_a_reason_and_is_opened_again_by_the_desk_alone(street: Street) -> None:
    call, _who = held(street)
    with pytest.raises(RuleBroken):
        mark_false(call, actor=street.boss, words=" ")
    mark_false(call, actor=street.boss, words="骑手说按错了")
    address = reverse("rescue:live", args=[token_for(call.request_id)])
    page = Client().get(address).content.decode()
    assert "12351" in page
    assert "reopen/" not in page
    reopen_call(call, by=By.DESK, post=street.boss)
    assert fresh(call).state == CallState.SUBMITTED


def test_to_an_unsafe_place_nobody_is_sent_until_it_is_safe(street: Street) -> None:
    call, who = held(street)
    before = told(street)
    say_unsafe(call, by=By.RESCUER, rescuer=who)
    assert told(street) == before + 1
    run_round()
    assert open_offers(call) == []
    page = Client().get(reverse("rescue:live", args=[token_for(call.request_id)])).content.decode()
    assert "tel:122" in page
    say_safe(call, by=By.RIDER)
    run_round()
    assert len(open_offers(call)) == 1


def test_a_mistaken_done_goes_back_to_the_same_hands_by_the_rescuer_and_to_all_by_the_rider(street: Street) -> None:
    call, who = held(street)
    answers.arrive(call, rescuer=who, position=HERE)
    answers.finish(call, rescuer=who, photo=photo(), request_id=uuid4())
    answers.take_back_done(call, rescuer=who)
    assert (fresh(call).state, fresh(call).rescuer_id) == (CallState.ARRIVED, who.pk)
    answers.finish(call, rescuer=who, request_id=uuid4())
    confirm_done(call)
    reopen_call(call)
    now = fresh(call)
    assert (now.state, now.times_reopened, now.rescuer) == (CallState.SUBMITTED, 2, None)


def test_sent_anew_a_call_stays_one_call_with_one_holder(street: Street) -> None:
    call, first = held(street)
    second, third = street.rescuer(metres=700), street.rescuer(metres=900)
    for who in (second, third, second):
        assign_call(call, who, actor=street.boss)
    now = fresh(call)
    assert (now.rescuer_id, RescueCall.objects.with_scopes_disabled().count()) == (second.pk, 1)
    states = call.offers(manager="objects").with_scopes_disabled().values_list("state", flat=True)
    assert sorted(states) == [OfferState.ACCEPTED, *[OfferState.GIVEN_BACK] * 3]
    for other in (first, third):
        with pytest.raises(RuleBroken):
            answers.arrive(call, rescuer=other)


def test_both_sides_say_so_by_buttons(street: Street, post: PostMaker) -> None:
    call, who = held(street)
    late(call)
    rider = Client()
    address = reverse("rescue:live", args=[token_for(call.request_id)])
    assert "not-come/" in rider.get(address).content.decode()
    rider.post(reverse("rescue:live_step", args=[token_for(call.request_id), "not-come"]), {"words": "没人来"})
    assert fresh(call).state == CallState.SUBMITTED
    assign_call(call, who, actor=street.boss)
    desk = Client()
    desk.force_login(street.boss.user)
    assert "not-come/" in desk.get(call.get_absolute_url()).content.decode()
    desk.post(reverse("rescue:take", args=[call.public_id, "not-come"]), {"words": "骑手来电"})
    assert fresh(call).state == CallState.SUBMITTED
    reader = Client()
    reader.force_login(post(street.tree.zhengzhou, Role.READER).user)
    assert reader.post(reverse("rescue:take", args=[call.public_id, "false"]), {"words": "x"}).status_code == 403
