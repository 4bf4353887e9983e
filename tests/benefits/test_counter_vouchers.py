"""Paper vouchers: printed once, redeemed once, blocked when lost."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benefits.conftest import NOON, Kitchen
from tests.benefits.counter_people import at_counter
from yizhan.benefits import voucher_codes, voucher_sheets
from yizhan.benefits.models import BenefitOffer, Voucher, VoucherBatch
from yizhan.benefits.services.scanning import ScanRefused, redeem_scanned
from yizhan.benefits.services.taking_back import void
from yizhan.benefits.services.uploads import Told, take_down
from yizhan.benefits.services.vouchers import Printed, block_vouchers, make_vouchers
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

LAST_DAY = date(2026, 12, 31)


@pytest.fixture
def paper(kitchen: Kitchen) -> BenefitOffer:
    return kitchen.offer(kitchen.programme(takes_paper=True))


@pytest.fixture
def cashier(paper: BenefitOffer) -> Staff:
    return at_counter(paper.place)


def printed(kitchen: Kitchen, paper: BenefitOffer, count: int = 12) -> tuple[VoucherBatch, list[Printed]]:
    return make_vouchers(
        paper.programme, count=count, purpose="环卫工人", valid_until=LAST_DAY,
        actor=kitchen.post(kitchen.tree.zhongyuan, Role.CADRE), at=NOON,
    )  # fmt: skip


def hand_over(cashier: Staff, offer: BenefitOffer, code: str, at=NOON):  # type: ignore[no-untyped-def]
    return redeem_scanned(
        cashier=cashier, place=offer.place, offer=offer.public_id, text=code,
        request_id=uuid4(), device="phone-0001", at=at,
    )  # fmt: skip


def refusal(cashier: Staff, offer: BenefitOffer, code: str, at=NOON) -> str:  # type: ignore[no-untyped-def]
    with pytest.raises(ScanRefused) as refused:
        hand_over(cashier, offer, code, at)
    return refused.value.code


def test_a_voucher_is_good_once_and_again_when_the_meal_was_taken_back(
    kitchen: Kitchen, paper: BenefitOffer, cashier: Staff
) -> None:
    _batch, vouchers = printed(kitchen, paper)
    code = voucher_codes.shown(vouchers[0].code)
    receipt = hand_over(cashier, paper, code)
    row = receipt.redemption()
    assert (row.worker, row.channel) == (None, "paper")
    assert refusal(cashier, paper, code) == "voucher_used"
    void(row, actor=OPERATOR, reason="退餐")
    assert hand_over(cashier, paper, code).public_id != receipt.public_id


def test_the_database_holds_nothing_from_which_a_voucher_could_be_printed(
    kitchen: Kitchen, paper: BenefitOffer
) -> None:
    _batch, vouchers = printed(kitchen, paper)
    stored = str(list(Voucher.objects.with_scopes_disabled().values_list()))
    assert not [one for one in vouchers if one.code in stored or one.code[2:14] in stored]


def test_a_lost_sheet_is_blocked_and_the_others_stay_good(
    kitchen: Kitchen, paper: BenefitOffer, cashier: Staff
) -> None:
    batch, vouchers = printed(kitchen, paper)
    assert [one.sheet for one in vouchers] == [1] * 10 + [2] * 2
    hand_over(cashier, paper, vouchers[0].code)
    staff = kitchen.post(kitchen.tree.zhongyuan, Role.CADRE)
    assert block_vouchers(batch, sheet=1, actor=staff, reason="丢了一张") == 9
    assert refusal(cashier, paper, vouchers[1].code) == "voucher_blocked"
    assert hand_over(cashier, paper, vouchers[10].code).worker_fen == 900
    with pytest.raises(RuleBroken):
        block_vouchers(batch, sheet=9, actor=staff, reason="丢了")


def test_vouchers_are_for_their_programme_and_until_their_last_day(
    kitchen: Kitchen, paper: BenefitOffer, cashier: Staff
) -> None:
    _batch, vouchers = printed(kitchen, paper)
    other = kitchen.offer(kitchen.programme(takes_paper=True), name="十元套餐")
    assert refusal(cashier, other, vouchers[0].code) == "voucher_elsewhere"
    assert refusal(cashier, paper, vouchers[0].code, NOON + timedelta(days=40)) == "voucher_ended"
    assert refusal(cashier, paper, voucher_codes.new_voucher_code()) == "voucher_unknown"


def test_a_voucher_taken_without_a_network_counts_once(kitchen: Kitchen, paper: BenefitOffer, cashier: Staff) -> None:
    from django.utils import timezone

    _batch, vouchers = printed(kitchen, paper)
    states = [
        take_down(
            Told(uuid4(), paper.public_id, vouchers[0].code, timezone.now()),
            cashier=cashier,
            place=paper.place,
            device=device,
        )
        for device in ("phone-0001", "phone-0002")
    ]
    assert [(one.state, one.reason) for one in states] == [("accepted", ""), ("exception", "duplicate")]


def test_only_who_manages_the_programme_makes_and_blocks(kitchen: Kitchen, paper: BenefitOffer) -> None:
    batch, _vouchers = printed(kitchen, paper)
    for stranger in (
        kitchen.post(kitchen.tree.jinshui),
        kitchen.post(kitchen.tree.zhongyuan, Role.FINANCE),
        at_counter(paper.place, Role.MERCHANT),
    ):
        with pytest.raises(NotAllowed):
            make_vouchers(paper.programme, count=1, purpose="x", valid_until=LAST_DAY, actor=stranger, at=NOON)
        with pytest.raises(NotAllowed):
            block_vouchers(batch, actor=stranger, reason="x")


def test_all_that_is_wrong_is_said_at_once(kitchen: Kitchen) -> None:
    plain = kitchen.offer()
    with pytest.raises(RuleBroken) as broken:
        make_vouchers(
            plain.programme, count=0, purpose=" ", valid_until=date(2026, 1, 1),
            actor=kitchen.post(kitchen.tree.zhongyuan), at=NOON,
        )  # fmt: skip
    assert {problem.code for problem in broken.value.problems} == {"takes_no_paper", "count", "purpose", "valid_until"}


def test_ten_vouchers_stand_on_a_sheet(kitchen: Kitchen) -> None:
    vouchers = [Printed(number // 10 + 1, voucher_codes.new_voucher_code()) for number in range(12)]
    text = voucher_sheets.VoucherText("九元餐", "中原区总工会", LAST_DAY, "A1B2C3")
    content = voucher_sheets.pdf(text, vouchers)
    assert content.startswith(b"%PDF")
    assert b"/Count 2" in content  # pages


@given(st.integers(0, 15), st.integers(1, 9))
def test_no_wrong_digit_passes(place: int, off: int) -> None:
    code = voucher_codes.new_voucher_code()
    wrong = code[:place] + str((int(code[place]) + off) % 10) + code[place + 1 :]
    assert voucher_codes.is_voucher(code)
    assert not voucher_codes.is_voucher(wrong)
