"""Calls, answers, steps, time and the desk in any order: what must always hold, holds."""
# ruff: noqa: PT017 - whether a rule refuses depends on what came before; if it does, by its own name

from __future__ import annotations

import os
from datetime import timedelta

import hypothesis.strategies as st
import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.rescue.rescue_makers import Street, fresh, photo
from yizhan.rescue.models import CallEvent, CallEventKind, CallState, Duty, Offer, OfferState, RescueCall
from yizhan.rescue.services import answers, calls, desk, duty
from yizhan.rescue.services.dispatching import run_round
from yizhan.unions.errors import RuleBroken

EXAMPLES = int(os.environ.get("YIZHAN_TEST_MACHINE_EXAMPLES", "6"))
STEPS = int(os.environ.get("YIZHAN_TEST_MACHINE_STEPS", "20"))
PHOTO = photo()


@pytest.mark.usefixtures("db")
def test_whatever_happens_in_whatever_order_nobody_is_asked_or_sent_twice(street: Street) -> None:  # noqa: C901
    class Road(RuleBasedStateMachine):
        @initialize()
        def begin(self) -> None:
            self.point = transaction.savepoint()
            self.rescuers = [street.rescuer(metres=200.0 * number) for number in range(3)]
            self.calls = [street.call(east=100.0 * number) for number in range(2)]

        def teardown(self) -> None:
            if hasattr(self, "point"):
                transaction.savepoint_rollback(self.point)

        def _try(self, act: object) -> None:
            try:
                with transaction.atomic():
                    act()  # type: ignore[operator]
            except RuleBroken as refused:
                assert all(problem.code for problem in refused.problems)

        @rule()
        def time_goes_on(self) -> None:
            run_round()

        @rule(number=st.integers(0, 2))
        def time_runs_out(self, number: int) -> None:
            open_offers = Offer.objects.with_scopes_disabled().filter(
                rescuer=self.rescuers[number], state=OfferState.OPEN
            )
            for offer in open_offers:
                open_offers.filter(pk=offer.pk).update(expires_at=offer.made_at - timedelta(seconds=1))
            run_round()

        @rule(number=st.integers(0, 2), accept=st.booleans())
        def answer(self, number: int, *, accept: bool) -> None:
            for offer in Offer.objects.with_scopes_disabled().filter(rescuer=self.rescuers[number]).order_by("-pk")[:1]:
                act = answers.accept_offer if accept else answers.decline_offer
                self._try(lambda offer=offer, act=act: act(offer))  # type: ignore[misc]

        @rule(
            which=st.integers(0, 1),
            number=st.integers(0, 2),
            step=st.sampled_from(["out", "there", "done", "undo", "back", "nobody", "unsafe"]),
        )
        def rescuer_steps(self, which: int, number: int, step: str) -> None:
            call, rescuer = self.calls[which], self.rescuers[number]
            acts = {
                "out": lambda: answers.set_out(call, rescuer=rescuer),
                "there": lambda: answers.arrive(call, rescuer=rescuer),
                "done": lambda: answers.finish(call, rescuer=rescuer, photo=PHOTO, request_id=call.public_id),
                "undo": lambda: answers.take_back_done(call, rescuer=rescuer),
                "back": lambda: answers.give_back(call, rescuer=rescuer),
                "nobody": lambda: answers.find_nobody(call, rescuer=rescuer),
                "unsafe": lambda: calls.say_unsafe(call, by=calls.By.RESCUER, rescuer=rescuer),
            }
            self._try(acts[step])

        @rule(which=st.integers(0, 1), step=st.sampled_from(["cancel", "confirm", "reopen", "safe", "move", "unsafe"]))
        def rider_steps(self, which: int, step: str) -> None:
            call = self.calls[which]
            acts = {
                "cancel": lambda: calls.cancel_call(call),
                "confirm": lambda: calls.confirm_done(call, stars=4),
                "reopen": lambda: calls.reopen_call(call),
                "safe": lambda: calls.say_safe(call, by=calls.By.RIDER),
                "move": lambda: calls.move_call(call, lon=113.63, lat=34.75),
                "unsafe": lambda: calls.say_unsafe(call, by=calls.By.RIDER),
            }
            self._try(acts[step])

        @rule(which=st.integers(0, 1), number=st.integers(0, 2), step=st.sampled_from(["assign", "false", "broadcast"]))
        def desk_steps(self, which: int, number: int, step: str) -> None:
            call = self.calls[which]
            acts = {
                "assign": lambda: desk.assign_call(call, self.rescuers[number], actor=street.boss),
                "false": lambda: desk.mark_false(call, actor=street.boss, words="误触"),
                "broadcast": lambda: desk.broadcast(call, actor=street.boss),
            }
            self._try(acts[step])

        @rule(number=st.integers(0, 2), on=st.booleans())
        def duty_changes(self, number: int, *, on: bool) -> None:
            if on:
                self._try(lambda: duty.go_on_duty(self.rescuers[number], position=(113.63, 34.747)))
            else:
                duty.go_off_duty(self.rescuers[number])

        @invariant()
        def each_call_is_where_its_offers_say(self) -> None:
            for call in map(fresh, getattr(self, "calls", [])):
                offers = list(Offer.objects.with_scopes_disabled().filter(call=call).values_list("state", "rescuer"))
                accepted = [who for state, who in offers if state == OfferState.ACCEPTED]
                waiting = [who for state, who in offers if state == OfferState.OPEN]
                assert len(accepted) <= 1
                if call.is_held:
                    assert accepted == [call.rescuer_id]
                if not call.is_waiting:
                    assert not waiting
                if call.state == CallState.OFFERED:
                    assert waiting

        @invariant()
        def nobody_holds_or_answers_two_things(self) -> None:
            if not hasattr(self, "rescuers"):
                return
            for rescuer in self.rescuers:
                held = RescueCall.objects.with_scopes_disabled().filter(rescuer=rescuer, slot__isnull=False)
                assert held.count() <= rescuer.most_at_once
                asked = Offer.objects.with_scopes_disabled().filter(rescuer=rescuer, state=OfferState.OPEN)
                assert asked.count() <= 1
                if not Duty.objects.with_scopes_disabled().filter(rescuer=rescuer, ended_at=None).exists():
                    assert not asked.exists()

        @invariant()
        def the_log_is_without_a_gap_and_times_go_forward(self) -> None:
            for call in map(fresh, getattr(self, "calls", [])):
                events = list(CallEvent.objects.with_scopes_disabled().filter(call=call).order_by("number"))
                assert [event.number for event in events] == list(range(1, call.version + 1))
                times = [event.at for event in events]
                assert times == sorted(times)
                assert events[0].kind == CallEventKind.SUBMITTED

    run_state_machine_as_test(
        Road,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
