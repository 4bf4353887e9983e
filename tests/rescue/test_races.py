"""Several at the same instant, in real transactions: one winner, nothing doubled, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from tests.rescue.rescue_makers import HERE, Street, fresh, kinds, open_offers
from yizhan.rescue.facts import CallFacts
from yizhan.rescue.models import CallState, Offer, OfferState, RescueCall
from yizhan.rescue.services.answers import accept_offer
from yizhan.rescue.services.calls import cancel_call, submit_call
from yizhan.rescue.services.desk import assign_call, broadcast
from yizhan.rescue.services.dispatching import run_round
from yizhan.rescue.services.duty import go_off_duty
from yizhan.unions.errors import RuleBroken

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run all acts at the same instant; gives what each returned, or how it was refused."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            connection.ensure_connection()
            gate.wait(10)
            return act()
        except RuleBroken as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def winners(answers: list[Any]) -> list[Any]:
    return [answer for answer in answers if not isinstance(answer, RuleBroken)]


def test_of_eight_who_accept_at_once_one_gets_the_call(street: Street) -> None:
    for number in range(8):
        street.rescuer(metres=100.0 * number)
    call = street.call()
    assert broadcast(call, actor=street.boss) == 8
    offers = open_offers(call)
    answers = at_once(*(lambda offer=offer: accept_offer(offer) for offer in offers))  # type: ignore[misc]
    assert len(winners(answers)) == 1
    states = list(Offer.objects.with_scopes_disabled().filter(call=call).values_list("state", flat=True))
    assert sorted(states) == ["accepted"] + ["withdrawn"] * 7
    assert kinds(call).count("accepted") == 1
    assert fresh(call).rescuer_id == winners(answers)[0].rescuer_id


def test_accept_and_cancel_at_once_end_in_one_of_both(street: Street) -> None:
    for _turn in range(4):
        rescuer = street.rescuer()
        call = street.call()
        assert broadcast(call, actor=street.boss, most=1) == 1
        (offer,) = open_offers(call)
        at_once(lambda offer=offer: accept_offer(offer), lambda call=call: cancel_call(call))  # type: ignore[misc]
        now = fresh(call)
        assert now.state == CallState.CANCELLED  # cancelling is possible before and after
        assert now.slot is None
        left = Offer.objects.with_scopes_disabled().filter(call=call, state__in=[OfferState.OPEN, OfferState.ACCEPTED])
        assert not left.exists()
        go_off_duty(rescuer)


def test_time_running_out_while_it_is_accepted(street: Street) -> None:
    """Either the offer counts or it lapsed; never both, and the call is never lost."""
    outcomes = set()
    for turn in range(4):
        rescuer = street.rescuer()
        call = street.call()
        run_round()
        (offer,) = open_offers(call)
        Offer.objects.with_scopes_disabled().update(expires_at=offer.made_at - timedelta(seconds=1))
        acts: list[Callable[[], Any]] = [lambda offer=offer: accept_offer(offer), run_round]  # type: ignore[misc]
        at_once(*(acts if turn % 2 else acts[::-1]))
        now, answered = fresh(call), Offer.objects.with_scopes_disabled().get(pk=offer.pk)
        if now.state == CallState.ACCEPTED:
            assert answered.state == OfferState.ACCEPTED
            assert now.rescuer_id == rescuer.pk
        else:
            assert now.state == CallState.SUBMITTED
            assert answered.state == OfferState.LAPSED
        outcomes.add(now.state)
        go_off_duty(rescuer)
        cancel_call(call)
    assert outcomes <= {CallState.ACCEPTED, CallState.SUBMITTED}


def test_two_dispatchers_at_once_ask_nobody_twice(street: Street) -> None:
    for number in range(6):
        street.rescuer(metres=100.0 * number)
    calls = [street.call(east=50.0 * number) for number in range(4)]
    at_once(run_round, run_round, run_round)
    run_round()
    offers = Offer.objects.with_scopes_disabled().filter(call__in=calls)
    assert offers.count() == 4
    assert offers.values("rescuer").distinct().count() == 4


def test_the_same_request_sent_five_times_at_once_is_one_call(street: Street) -> None:
    request_id = uuid4()
    facts = CallFacts(problem="chain", lon=HERE[0], lat=HERE[1], contact_phone="13800138999")
    answers = at_once(*[lambda: submit_call(facts, request_id=request_id)] * 5)
    assert len({answer.pk for answer in answers}) == 1
    assert RescueCall.objects.with_scopes_disabled().count() == 1


def test_two_calls_of_one_number_at_once_are_one_call_and_a_refusal(street: Street) -> None:
    facts = CallFacts(problem="chain", lon=HERE[0], lat=HERE[1], contact_phone="13800138999")
    answers = at_once(*[lambda: submit_call(facts, request_id=uuid4())] * 4)
    assert len(winners(answers)) == 1
    refused = [answer for answer in answers if isinstance(answer, RuleBroken)]
    assert {each.problems[0].code for each in refused} == {"open_already"}


def test_two_calls_never_both_land_in_one_pair_of_hands(street: Street) -> None:
    rescuer = street.rescuer()
    calls = [street.call(), street.call(east=30.0)]
    answers = at_once(*(lambda call=call: assign_call(call, rescuer, actor=street.boss) for call in calls))  # type: ignore[misc]
    assert len(winners(answers)) == 1
    held = RescueCall.objects.with_scopes_disabled().filter(rescuer=rescuer, slot__isnull=False)
    assert held.count() == 1


def test_off_duty_while_an_offer_is_made_leaves_no_open_offer_behind(street: Street) -> None:
    for _turn in range(4):
        rescuer = street.rescuer()
        call = street.call()
        at_once(run_round, lambda rescuer=rescuer: go_off_duty(rescuer))  # type: ignore[misc]
        run_round()
        for offer in open_offers(call):
            with pytest.raises(RuleBroken):
                accept_offer(offer)
        cancel_call(call)
