"""Rounds of dispatch: whom they ask, what runs out, when the desk is called, and that a killed one loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from tests.conftest import PostMaker, UnionTree
from tests.database import database_url
from tests.rescue.rescue_makers import HERE, Street, fresh, kinds, open_offers, photo
from yizhan.rescue.dispatch import Policy
from yizhan.rescue.models import By, CallEvent, CallState, Duty, Offer, OfferState, RescueCall
from yizhan.rescue.services import answers
from yizhan.rescue.services.calls import cancel_call, confirm_done, move_call, reopen_call, say_safe, say_unsafe
from yizhan.rescue.services.desk import assign_call, broadcast
from yizhan.rescue.services.dispatching import SILENT_AFTER, run_round
from yizhan.rescue.services.duty import go_off_duty, go_on_duty
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import InboxMessage


def let_time_run_out(call: RescueCall) -> None:
    for offer in open_offers(call):
        Offer.objects.with_scopes_disabled().filter(pk=offer.pk).update(expires_at=offer.made_at - timedelta(seconds=1))


def test_the_nearest_is_asked_first_then_the_next_then_several_then_the_desk(street: Street) -> None:
    near, next_one = street.rescuer(metres=200), street.rescuer(metres=900)
    others = [street.rescuer(metres=1500.0 + 100 * number) for number in range(4)]
    call = street.call()
    run_round()
    assert [offer.rescuer_id for offer in open_offers(call)] == [near.pk]
    run_round()
    assert len(open_offers(call)) == 1  # nothing is doubled while someone thinks
    let_time_run_out(call)
    run_round()
    assert [offer.rescuer_id for offer in open_offers(call)] == [next_one.pk]
    answers.decline_offer(open_offers(call)[0])
    run_round()
    assert {offer.rescuer_id for offer in open_offers(call)} <= {rescuer.pk for rescuer in others}
    assert len(open_offers(call)) == 3
    let_time_run_out(call)
    run_round()
    assert fresh(call).state == CallState.ESCALATED
    assert InboxMessage.objects.with_scopes_disabled().filter(post=street.boss).count() == 1
    run_round()
    assert InboxMessage.objects.with_scopes_disabled().filter(post=street.boss).count() == 1
    (last,) = open_offers(call)
    answers.accept_offer(last)
    assert fresh(call).state == CallState.ACCEPTED


def test_nobody_on_duty_leads_to_the_desk_and_asking_goes_on(street: Street) -> None:
    rescuer = street.rescuer(on_duty=False)
    call = street.call()
    run_round(policy=Policy(escalate_s=0.0))
    assert fresh(call).state == CallState.ESCALATED
    go_on_duty(rescuer, position=HERE)
    run_round()
    assert len(open_offers(call)) == 1
    assert fresh(call).state == CallState.ESCALATED


def test_when_all_were_asked_in_vain_they_are_asked_again_after_a_while(street: Street) -> None:
    street.rescuer()
    call = street.call()
    run_round()
    let_time_run_out(call)
    run_round(policy=Policy(escalate_after=1))
    assert open_offers(call) == []
    Offer.objects.with_scopes_disabled().filter(call=call).update(made_at=call.received_at - timedelta(minutes=6))
    run_round()
    assert len(open_offers(call)) == 1
    assert fresh(call).attempt == 2


def test_a_silent_phone_is_not_asked(street: Street) -> None:
    """The helper's phone died: it tells no position any more."""
    rescuer = street.rescuer()
    duty = Duty.objects.with_scopes_disabled().filter(rescuer=rescuer)
    duty.update(position_at=duty.get().began_at - SILENT_AFTER - timedelta(seconds=1))
    call = street.call()
    run_round()
    assert open_offers(call) == []


def test_rescuers_of_another_city_are_not_asked(street: Street, tree: UnionTree, post: PostMaker) -> None:
    street.boss = post(tree.shenzhen)
    elsewhere = street.rescuer(union=tree.shenzhen)
    call = street.call()
    run_round()
    assert open_offers(call) == []
    with pytest.raises(RuleBroken, match=r"elsewhere|服务"):
        assign_call(call, elsewhere, actor=post(tree.zhengzhou))


def test_a_call_that_is_led_on_by_the_wrong_phone_time_is_reckoned_by_the_database(street: Street) -> None:
    """A phone whose clock is years off changes neither the order nor the promise."""
    call = street.call(called_at=street.call().received_at - timedelta(days=900))
    assert call.received_at - timedelta(minutes=1) < call.due_at - timedelta(minutes=20) <= call.received_at


def test_done_needs_a_photo_can_be_taken_back_and_is_confirmed_once(street: Street) -> None:
    rescuer, call = street.rescuer(), street.call()
    run_round()
    answers.accept_offer(open_offers(call)[0])
    answers.set_out(call, rescuer=rescuer)
    answers.arrive(call, rescuer=rescuer, position=HERE)
    with pytest.raises(RuleBroken):
        answers.finish(call, rescuer=rescuer, request_id=call.public_id)
    for _turn in range(2):
        answers.finish(call, rescuer=rescuer, photo=photo(), request_id=call.public_id, batteries=1)
    assert Duty.objects.with_scopes_disabled().get(rescuer=rescuer).batteries == 1
    answers.take_back_done(call, rescuer=rescuer)
    assert fresh(call).state == CallState.ARRIVED
    answers.finish(call, rescuer=rescuer, request_id=call.public_id)  # the photo is there already
    for _turn in range(2):
        confirm_done(call, stars=5)
    assert kinds(call).count("confirmed") == 1
    with pytest.raises(RuleBroken):
        answers.take_back_done(call, rescuer=rescuer)
    reopen_call(call, words="又坏了")
    now = fresh(call)
    assert (now.state, now.rescuer_id, now.attempt) == (CallState.SUBMITTED, None, 2)
    run_round()
    assert [offer.rescuer_id for offer in open_offers(call)] == [rescuer.pk]
    assert RescueCall.objects.with_scopes_disabled().count() == 1


def test_an_unsafe_place_frees_the_rescuer_and_calls_the_desk(street: Street) -> None:
    rescuer, call = street.rescuer(), street.call()
    run_round()
    answers.accept_offer(open_offers(call)[0])
    say_unsafe(call, by=By.RESCUER, rescuer=rescuer)
    assert fresh(call).state == CallState.UNSAFE
    assert InboxMessage.objects.with_scopes_disabled().filter(post=street.boss).exists()
    run_round()
    assert open_offers(call) == []
    move_call(call, lon=HERE[0] + 0.001, lat=HERE[1])
    say_safe(call, by=By.RIDER)
    run_round()
    assert len(open_offers(call)) == 1


def test_a_call_that_is_called_off_can_be_taken_by_nobody(street: Street) -> None:
    street.rescuer()
    call = street.call()
    run_round()
    (offer,) = open_offers(call)
    cancel_call(call)
    with pytest.raises(RuleBroken) as refused:
        answers.accept_offer(offer)
    assert refused.value.problems[0].code == "too_late"


def test_the_database_itself_holds_the_rules(street: Street) -> None:
    rescuer, other = street.rescuer(), street.rescuer(metres=900)
    call, second = street.call(), street.call(east=50)
    broadcast(call, actor=street.boss)
    offer = Offer.objects.with_scopes_disabled().filter(call=call, rescuer=rescuer).get()
    answers.accept_offer(offer)

    def refused(**values: object) -> None:
        with pytest.raises(IntegrityError), transaction.atomic():
            RescueCall.objects.with_scopes_disabled().filter(pk=second.pk).update(**values)

    refused(rescuer=rescuer, slot=1, state=CallState.ACCEPTED)
    refused(state=CallState.ACCEPTED)
    refused(state="lost")
    with pytest.raises(IntegrityError), transaction.atomic():
        Offer.objects.with_scopes_disabled().filter(call=call, rescuer=other).update(state=OfferState.ACCEPTED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Duty.objects.with_scopes_disabled().filter(rescuer=rescuer).update(ended_at=call.received_at)
    with pytest.raises(Exception, match="append-only"), transaction.atomic():
        CallEvent.objects.with_scopes_disabled().filter(call=call).delete()


def test_ten_times_the_demand_is_offered_to_as_many_as_are_there(street: Street) -> None:
    for number in range(4):
        street.rescuer(metres=150.0 * number)
    calls = [street.call(east=20.0 * number) for number in range(20)]
    done = run_round()
    assert done is not None
    assert (done.waiting, done.offered) == (20, 4)
    assert sum(len(open_offers(call)) for call in calls) == 4


@pytest.mark.django_db(transaction=True)
def test_a_dispatcher_that_is_killed_loses_and_doubles_nothing(street: Street) -> None:
    """`kill -9` in the midst of offering; the next one goes on from what is stored."""
    rescuers = [street.rescuer(metres=100.0 * number) for number in range(5)]
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database_url(),
    }  # fmt: skip
    command = [sys.executable, "-m", "yizhan.site.cli", "rescue", "dispatch"]
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    calls = [street.call(east=30.0 * number) for number in range(3)]
    try:
        _wait_for(lambda: Offer.objects.with_scopes_disabled().exists())
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    calls += [street.call(east=500.0 + 30.0 * number) for number in range(2)]
    run_round()
    run_round()
    offers = Offer.objects.with_scopes_disabled().filter(state=OfferState.OPEN)
    assert sorted(offers.values_list("call", flat=True)) == sorted(call.pk for call in calls)
    assert sorted(offers.values_list("rescuer", flat=True)) == sorted(rescuer.pk for rescuer in rescuers)
    for call in calls:
        assert kinds(call) == ["submitted", "offered"]
    for rescuer in rescuers:
        go_off_duty(rescuer)


def _wait_for(condition: object, seconds: float = 40.0) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until, "the dispatcher offered nothing"
        time.sleep(0.1)
