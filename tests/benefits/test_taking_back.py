"""Voiding, refunding, deciding exceptions; the sealed books; lotteries; exclusions."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from typer.testing import CliRunner

from tests.benefits.conftest import NOON, Kitchen, books, counted, spent
from tests.conftest import PostMaker
from yizhan.benefits.books import verify_books
from yizhan.benefits.commands import app
from yizhan.benefits.models import (
    AppealState,
    BenefitOffer,
    Entry,
    LedgerTransaction,
    Lottery,
    LotteryTicket,
    Redemption,
    Seal,
)
from yizhan.benefits.refusals import Refused
from yizhan.benefits.services.exclusions import answer_appeal, appeal, exclude
from yizhan.benefits.services.lotteries import check_draw, draw, enter, open_lottery
from yizhan.benefits.services.sealing import seal_all, seal_once
from yizhan.benefits.services.taking_back import decide_exception, refund, void
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, InboxMessage, Worker
from yizhan.unions.rights import OPERATOR, NotAllowed, Role


def code_of(broken: pytest.ExceptionInfo[RuleBroken]) -> str:
    return broken.value.problems[0].code


def test_voiding_gives_every_party_its_share_back_and_frees_quota_and_budget(kitchen: Kitchen, rider: Worker) -> None:
    offer = kitchen.offer(quota_day=1, place_quota_day=1)
    budget = kitchen.budget(offer, 400)
    eaten = kitchen.eat(offer, rider).redemption()
    ended = void(eaten, actor=OPERATOR, reason="点错了")
    assert ended.state == "voided"
    assert void(eaten, actor=OPERATOR, reason="再点一次").ended_reason == "点错了"
    assert books() == {}
    assert spent(budget) == 0
    kitchen.eat(offer, rider)
    assert verify_books().problems == []
    assert counted() == (2, 3)


def test_the_counter_voids_within_its_minutes_and_staff_refund_within_their_days(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker, post: PostMaker
) -> None:
    keeper, finance = post(kitchen.tree.zhongyuan, Role.KEEPER), post(kitchen.tree.zhengzhou, Role.FINANCE)
    first, second = kitchen.eat(offer, rider).redemption(), kitchen.eat(offer, rider).redemption()
    with time_machine.travel(NOON + timedelta(minutes=29), tick=False):
        assert void(first, actor=keeper, reason="点错了").ended_by == keeper
    with time_machine.travel(NOON + timedelta(minutes=31), tick=False):
        with pytest.raises(RuleBroken) as broken:
            void(second, actor=keeper, reason="点错了")
        assert code_of(broken) == "too_late"
        with pytest.raises(NotAllowed):
            refund(second, actor=keeper, reason="菜凉了")
        with pytest.raises(RuleBroken) as broken:
            refund(second, actor=finance, reason=" ")
        assert code_of(broken) == "required"
        assert refund(second, actor=finance, reason="菜凉了").state == "refunded"
        with pytest.raises(RuleBroken) as broken:
            void(second, actor=OPERATOR, reason="又一次")
        assert code_of(broken) == "wrong_state"
    assert books() == {}
    acts = AuditEntry.objects.with_scopes_disabled().filter(target_kind="benefits.redemption")
    assert {act.action for act in acts} == {"benefits.redemption_voided", "benefits.redemption_refunded"}


def test_an_exception_is_booked_when_it_is_accepted_and_never_past_a_budget(kitchen: Kitchen, rider: Worker) -> None:
    offer = kitchen.offer(quota_day=1, place_quota_day=1)
    budget = kitchen.budget(offer, 800)
    kitchen.eat(offer, rider)
    kept = [kitchen.eat(offer, rider, offline=True).redemption() for _upload in range(3)]
    with pytest.raises(NotAllowed):
        decide_exception(kept[0], actor=kitchen.post(kitchen.tree.zhongyuan, Role.KEEPER), accept=True)
    assert decide_exception(kept[0], actor=OPERATOR, accept=True).state == "redeemed"
    with pytest.raises(Refused) as refused:
        decide_exception(kept[1], actor=OPERATOR, accept=True)
    assert refused.value.code == "budget"
    assert decide_exception(kept[1], actor=OPERATOR, accept=False, reason="预算已用完").state == "voided"
    kitchen.budget(offer, 1200)
    assert decide_exception(kept[2], actor=OPERATOR, accept=True).state == "redeemed"
    assert decide_exception(kept[2], actor=OPERATOR, accept=True).state == "redeemed"
    with pytest.raises(RuleBroken):
        decide_exception(kept[2], actor=OPERATOR, accept=False)
    assert (spent(budget), books()["union"]) == (1200, -1200)
    assert verify_books().problems == []


def tampered(statement: str, *values: Any) -> None:
    """As somebody would who holds the database's own key."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, values)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_seals_hold_exactly_their_rows_and_every_tampering_is_found(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker
) -> None:
    meals = [kitchen.eat(offer, rider) for _meal in range(5)]
    assert seal_all() == 5
    assert seal_once() is None
    void(meals[0].redemption(), actor=OPERATOR, reason="点错了")
    assert verify_books().unsealed == 1
    assert seal_all() == 1
    sound = verify_books()
    assert (sound.problems, sound.transactions, sound.seals) == ([], 6, 2)
    assert verify_books(expect=sound.head).is_sound
    assert not verify_books(expect="f" * 64).is_sound
    booked = LedgerTransaction.objects.with_scopes_disabled().get(redemption=meals[2].redemption_id)
    entry = Entry.objects.with_scopes_disabled().filter(transaction=booked).first()
    assert entry is not None
    for statement, values, undo in (
        ("UPDATE benefits_entry SET fen = fen + %s WHERE id = %s", (1, entry.pk), (-1, entry.pk)),
        (
            "UPDATE benefits_ledgertransaction SET happened_at = happened_at + %s * interval '1 day' WHERE id = %s",
            (1, booked.pk),
            (-1, booked.pk),
        ),
        (
            "UPDATE benefits_redemption SET funded_fen = funded_fen + %s WHERE id = %s",
            (1, meals[2].redemption_id),
            (-1, meals[2].redemption_id),
        ),
        (
            "UPDATE benefits_ledgertransaction SET position = position + %s WHERE id = %s",
            (7, booked.pk),
            (-7, booked.pk),
        ),
    ):
        tampered(statement, *values)
        assert not verify_books().is_sound, statement
        tampered(statement, *undo)
        assert verify_books().is_sound
    tampered("DELETE FROM benefits_ledgertransaction WHERE seal_id = (SELECT max(id) FROM benefits_seal)")
    assert not verify_books().is_sound
    assert Seal.objects.count() == 2


def test_a_transaction_that_commits_late_is_in_a_later_seal(kitchen: Kitchen, offer: BenefitOffer) -> None:
    """It has the lowest number of all, and others are sealed before it: "up to the highest" would have lost it."""
    late, early = (kitchen.eat(offer, kitchen.worker()) for _meal in range(2))
    row = LedgerTransaction.objects.with_scopes_disabled().get(redemption=late.redemption_id)
    # Hidden for the first seal, as one that has not committed is.
    move = (
        "UPDATE benefits_ledgertransaction SET id = id + %s WHERE id = %s",
        "UPDATE benefits_entry SET transaction_id = transaction_id + %s WHERE transaction_id = %s",
    )
    for statement in move:
        tampered(statement, 1_000_000, row.pk)
    first = seal_once(most=1)
    for statement in move:
        tampered(statement, -1_000_000, row.pk + 1_000_000)
    second = seal_once()
    assert first is not None
    assert second is not None
    sealed = LedgerTransaction.objects.with_scopes_disabled()
    assert sealed.get(seal=first).redemption_id == early.redemption_id
    assert sealed.get(seal=second).redemption_id == late.redemption_id
    assert verify_books().is_sound


def test_the_command_verifies_the_books_and_says_what_is_wrong(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker
) -> None:
    meal = kitchen.eat(offer, rider)
    ask = CliRunner()
    done = ask.invoke(app, ["verify-books"])
    assert done.exit_code == 0, done.output
    assert "1 transactions in 1 seals, 0 not sealed yet" in done.output
    tampered("UPDATE benefits_redemption SET worker_fen = 1 WHERE id = %s", meal.redemption_id)
    assert ask.invoke(app, ["verify-books"]).exit_code == 4


def test_commands_redeem_once_and_take_back(kitchen: Kitchen, offer: BenefitOffer, rider: Worker) -> None:
    ask = CliRunner()
    request = "0193a0e0-0000-7000-8000-000000000001"
    line = [str(offer.public_id), str(rider.public_id), "--request-id", request]
    assert ask.invoke(app, ["redeem", *line, "--dry-run"]).exit_code == 0
    for _time in range(2):
        done = ask.invoke(app, ["redeem", *line])
        assert done.exit_code == 0, done.output
    assert "repeated" in done.output
    row = Redemption.objects.with_scopes_disabled().get()
    assert ask.invoke(app, ["void", str(row.public_id), "--reason", "点错了"]).exit_code == 0
    assert books() == {}
    assert ask.invoke(app, ["redeem", "not-an-id", str(rider.public_id), "--request-id", request]).exit_code == 2
    assert "九元套餐" in ask.invoke(app, ["programmes"]).output


def test_a_lottery_is_drawn_once_and_anyone_can_check_it(kitchen: Kitchen) -> None:
    offer = kitchen.offer(allotment="lottery")
    now = timezone.now()
    lottery = open_lottery(
        offer.programme,
        places=3,
        closes_at=now + timedelta(hours=1),
        valid_from=date(2026, 11, 24),
        valid_until=date(2026, 11, 30),
        actor=OPERATOR,
    )
    assert lottery.seed == ""
    riders = [kitchen.worker() for _rider in range(8)]
    tickets = [enter(lottery, worker=rider) for rider in riders]
    assert enter(lottery, worker=riders[0]) == tickets[0]
    with pytest.raises(RuleBroken):
        draw(lottery, actor=OPERATOR)
    late = now + timedelta(hours=2)
    with pytest.raises(RuleBroken):
        enter(lottery, worker=kitchen.worker(), at=late)
    drawn = draw(lottery, actor=OPERATOR, at=late)
    assert draw(lottery, actor=OPERATOR, at=late).seed == drawn.seed
    won = set(LotteryTicket.objects.with_scopes_disabled().filter(won=True).values_list("worker", flat=True))
    assert len(won) == 3
    for rider in riders:
        if rider.pk in won:
            kitchen.eat(offer, rider)
        else:
            with pytest.raises(Refused):
                kitchen.eat(offer, rider)
    assert check_draw(drawn).problems == []
    assert CliRunner().invoke(app, ["verify-lottery", str(drawn.public_id)]).exit_code == 0
    Lottery.objects.with_scopes_disabled().update(seed="0" * 64)
    drawn.refresh_from_db()
    assert check_draw(drawn).problems


def test_an_excluded_worker_appeals_once_and_is_let_in_again(
    kitchen: Kitchen, offer: BenefitOffer, rider: Worker, post: PostMaker
) -> None:
    cadre = post(kitchen.tree.zhongyuan, Role.CADRE)
    kept = exclude(union=offer.programme.union, programme=offer.programme, worker=rider, reason="代刷", actor=cadre)
    again = exclude(union=cadre.union, programme=offer.programme, worker=rider, reason="再次代刷", actor=cadre)
    assert (again, again.reason) == (kept, "代刷")
    with pytest.raises(RuleBroken):
        appeal(kept, worker=kitchen.worker(), words="这不是我的事情")
    appeal(kept, worker=rider, words="那天我手机借给了工友")
    assert InboxMessage.objects.with_scopes_disabled().filter(post=cadre).exists()
    with pytest.raises(NotAllowed):
        answer_appeal(kept, grant=True, answer="情况属实", actor=post(kitchen.tree.jinshui))
    done = answer_appeal(kept, grant=True, answer="情况属实", actor=cadre)
    assert done.lifted_at is not None
    assert Redemption.objects.with_scopes_disabled().count() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        kitchen.eat(offer, rider, at=timezone.now())
    kept.refresh_from_db()
    assert kept.appeal_state == AppealState.GRANTED
    with pytest.raises(RuleBroken):
        appeal(kept, worker=rider, words="再说一次也可以吗")
