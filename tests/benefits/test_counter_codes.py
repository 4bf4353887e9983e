"""Codes at the counter: scanned with a network."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import PermissionDenied
from django.db import connection

from tests.benefits.conftest import NOON, Kitchen
from tests.benefits.counter_people import WorkersPhone, at_counter, request
from yizhan.benefits.models import BenefitOffer, CodeSighting, Phone, Redemption, Serving
from yizhan.benefits.services.phones import CERTIFIED_FOR, MOST_PHONES, block, certify, new_house_key
from yizhan.benefits.services.scanning import ScanRefused, redeem_scanned, show_ticket
from yizhan.benefits.services.self_service import redeem_at_plate
from yizhan.benefits.services.taking_back import void
from yizhan.benefits.tickets import ticket_text
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff, Worker
from yizhan.unions.rights import OPERATOR, NotAllowed, Role


@pytest.fixture
def cashier(offer: BenefitOffer) -> Staff:
    return at_counter(offer.place)


@pytest.fixture
def phone(rider: Worker) -> WorkersPhone:
    return WorkersPhone.of(rider, NOON)


def scan(cashier: Staff, offer: BenefitOffer, text: str, *, at=NOON, request_id=None, device="phone-0001"):  # type: ignore[no-untyped-def]
    return redeem_scanned(
        cashier=cashier,
        place=offer.place,
        offer=offer.public_id,
        text=text,
        request_id=request_id or uuid4(),
        device=device,
        at=at,
    )


def refusal(cashier: Staff, offer: BenefitOffer, text: str, **how: object) -> str:
    with pytest.raises(ScanRefused) as refused:
        scan(cashier, offer, text, **how)
    return refused.value.code


def test_a_code_is_redeemed_and_the_cashier_learns_only_what_to_take(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone
) -> None:
    receipt = scan(cashier, offer, phone.code(NOON))
    row = receipt.redemption()
    assert (row.worker, row.cashier, row.channel, receipt.worker_fen) == (phone.worker, cashier, "code", 900)
    assert not {"worker", "name", "phone"} & set(receipt.__slots__)


def test_a_code_redeems_once_though_its_text_is_shown_again(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone
) -> None:
    text = phone.code(NOON)
    scan(cashier, offer, text)
    assert refusal(cashier, offer, text) == "code_used"
    assert [seen.outcome for seen in CodeSighting.objects.with_scopes_disabled().order_by("pk")] == [
        "redeemed",
        "code_used",
    ]


def test_a_repeated_request_gets_its_answer_though_the_code_is_old_by_then(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone
) -> None:
    text, request_id = phone.code(NOON), uuid4()
    first = scan(cashier, offer, text, request_id=request_id)
    again = scan(cashier, offer, text, request_id=request_id, at=NOON + timedelta(minutes=9))
    assert (again.public_id, again.repeated) == (first.public_id, True)
    assert Redemption.objects.with_scopes_disabled().count() == 1


def test_a_refusal_does_not_use_up_the_request(offer: BenefitOffer, cashier: Staff, phone: WorkersPhone) -> None:
    request_id = uuid4()
    assert refusal(cashier, offer, phone.code(NOON - timedelta(hours=1)), request_id=request_id) == "too_old"
    assert not scan(cashier, offer, phone.code(NOON), request_id=request_id).repeated


@pytest.mark.parametrize(("off", "result"), [(-60, "accepted"), (-95, "too_old"), (30, "accepted"), (65, "too_early")])
def test_a_phones_clock_may_be_a_little_off(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone, off: int, result: str
) -> None:
    text = phone.code(NOON + timedelta(seconds=off))
    if result == "accepted":
        assert scan(cashier, offer, text).worker_fen == 900
    else:
        assert refusal(cashier, offer, text) == result


def test_a_blocked_phone_shows_codes_in_vain(offer: BenefitOffer, cashier: Staff, phone: WorkersPhone) -> None:
    block(phone.row, actor=phone.worker.user)
    assert refusal(cashier, offer, phone.code(NOON)) == "revoked"


def test_a_certificate_ends(offer: BenefitOffer, cashier: Staff, phone: WorkersPhone) -> None:
    later = NOON + CERTIFIED_FOR
    assert refusal(cashier, offer, phone.code(later), at=later) == "expired"


def test_codes_of_an_earlier_house_key_hold_until_their_certificate_ends(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone, kitchen: Kitchen
) -> None:
    new_house_key()
    other = WorkersPhone.of(kitchen.worker(kitchen.tree.shifo), NOON)
    assert scan(cashier, offer, phone.code(NOON)).worker_fen == 900
    assert scan(cashier, offer, other.code(NOON)).worker_fen == 900


def test_the_cashier_is_told_neither_who_nor_why(kitchen: Kitchen) -> None:
    offer = kitchen.offer(kitchen.programme(occupations=["sanitation"]))
    worker = kitchen.worker(kitchen.tree.shifo, name="只有本人知道")
    with pytest.raises(ScanRefused) as refused:
        scan(at_counter(offer.place), offer, WorkersPhone.of(worker, NOON).code(NOON))
    assert "只有本人知道" not in str(refused.value.words)
    other = kitchen.offer(kitchen.programme(memberships=["member"]), name="十元套餐")
    with pytest.raises(ScanRefused) as also:
        scan(at_counter(offer.place), other, WorkersPhone.of(worker, NOON).code(NOON))
    assert str(also.value.words) == str(refused.value.words)


def test_a_cashier_of_another_merchant_or_union_redeems_nothing_here(
    offer: BenefitOffer, phone: WorkersPhone, kitchen: Kitchen, make_place: object
) -> None:
    next_door = make_place(kitchen.tree.zhongyuan, name="隔壁面馆", kind="restaurant")  # type: ignore[operator]
    strangers = [
        at_counter(next_door),
        at_counter(next_door, Role.MERCHANT),
        kitchen.post(kitchen.tree.zhongyuan, Role.CASHIER),  # bound to nothing
        kitchen.post(kitchen.tree.jinshui, Role.CADRE),
        kitchen.post(kitchen.tree.zhongyuan, Role.READER),
    ]
    for stranger in strangers:
        with pytest.raises(NotAllowed):
            scan(stranger, offer, phone.code(NOON))
    assert Redemption.objects.with_scopes_disabled().count() == 0
    assert refusal(strangers[0], kitchen.offer(place=next_door), "x") == "not_a_code"


def test_an_offer_of_another_counter_cannot_be_redeemed_here(
    offer: BenefitOffer, cashier: Staff, phone: WorkersPhone, kitchen: Kitchen, make_place: object
) -> None:
    elsewhere = kitchen.offer(place=make_place(kitchen.tree.zhongyuan, name="隔壁", kind="restaurant"))  # type: ignore[operator]
    with pytest.raises(ScanRefused) as refused:
        redeem_scanned(
            cashier=cashier, place=offer.place, offer=elsewhere.public_id, text=phone.code(NOON),
            request_id=uuid4(), device="phone-0001", at=NOON,
        )  # fmt: skip
    assert refused.value.code == "offer_elsewhere"


def test_a_worker_has_three_phones_and_a_fourth_takes_the_place_of_the_oldest(rider: Worker) -> None:
    phones = [WorkersPhone.of(rider, NOON + timedelta(minutes=n)) for n in range(MOST_PHONES + 1)]
    blocked = [Phone.objects.with_scopes_disabled().get(pk=one.row.pk).revoked_at is not None for one in phones]
    assert blocked == [True, False, False, False]


def test_a_phone_renews_its_certificate_but_never_anothers_or_a_blocked_one(rider: Worker, kitchen: Kitchen) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    first, second = certify(rider, **request(key), at=NOON), certify(rider, **request(key), at=NOON)
    assert first.phone == second.phone
    assert first.number != second.number
    for stranger, asked in [(kitchen.worker(), request(key)), (rider, {**request(key), "proof": b"\0" * 64})]:
        with pytest.raises(RuleBroken):
            certify(stranger, **asked, at=NOON)
    block(first.phone, actor=rider.user)
    with pytest.raises(RuleBroken):
        certify(rider, **request(key), at=NOON)


def test_only_the_worker_and_their_staff_block_a_phone(phone: WorkersPhone, kitchen: Kitchen) -> None:
    for stranger in (kitchen.worker().user, kitchen.post(kitchen.tree.jinshui), at_counter(kitchen.place)):
        with pytest.raises(PermissionDenied):
            block(phone.row, actor=stranger)
    assert block(phone.row, actor=kitchen.post(kitchen.tree.zhongyuan)).revoked_at is not None


def test_a_live_ticket_is_served_once_and_only_where_it_was_redeemed(
    offer: BenefitOffer, cashier: Staff, rider: Worker, make_place: object, kitchen: Kitchen
) -> None:
    receipt = redeem_at_plate(rider, offer, request_id=uuid4())
    now = receipt.redeemed_at
    text = ticket_text(receipt.public_id, now.timestamp())
    assert show_ticket(text, cashier=cashier, place=offer.place, at=now).served_at is None
    assert show_ticket(text, cashier=cashier, place=offer.place, at=now + timedelta(seconds=20)).served_at == now
    assert Serving.objects.with_scopes_disabled().count() == 1

    def said(text: str, at=now, place=offer.place, who=cashier) -> str:  # type: ignore[no-untyped-def]
        with pytest.raises(ScanRefused) as refused:
            show_ticket(text, cashier=who, place=place, at=at)
        return refused.value.code

    assert said(text, now + timedelta(minutes=3)) == "ticket_old"
    assert said(text[:-1] + str((int(text[-1]) + 1) % 10)) == "not_a_ticket"
    next_door = make_place(kitchen.tree.zhongyuan, name="隔壁面馆", kind="restaurant")  # type: ignore[operator]
    assert said(text, place=next_door, who=at_counter(next_door)) == "not_a_ticket"
    void(receipt.redemption(), actor=OPERATOR, reason="点错了")
    assert said(text) == "ticket_ended"


def test_a_tap_repeated_at_the_plate_counts_once_and_keeps_only_the_distance(
    offer: BenefitOffer, rider: Worker
) -> None:
    request_id = uuid4()
    near = (offer.place.lon + 0.001, offer.place.lat)
    first = redeem_at_plate(rider, offer, request_id=request_id, position=near)
    again = redeem_at_plate(rider, offer, request_id=request_id, position=near)
    assert first.public_id == again.public_id
    assert 80 < (first.redemption().distance_m or 0) < 100


@pytest.mark.django_db(transaction=True)
def test_one_code_at_two_counters_at_once_redeems_at_one(kitchen: Kitchen, make_place: object, rider: Worker) -> None:
    first = kitchen.offer()
    second = kitchen.offer(first.programme, place=make_place(kitchen.tree.zhongyuan, name="隔壁", kind="restaurant"),
                           opened=False)  # type: ignore[operator]  # fmt: skip
    text = WorkersPhone.of(rider, NOON).code(NOON)
    counters = [(at_counter(one.place), one) for one in (first, second)]
    together, outcomes = threading.Barrier(2), []

    def serve(cashier: Staff, offer: BenefitOffer) -> None:
        try:
            together.wait(30)
            scan(cashier, offer, text)
            outcomes.append("redeemed")
        except ScanRefused as refused:
            outcomes.append(refused.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=serve, args=counter) for counter in counters]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["code_used", "redeemed"]
    assert Redemption.objects.with_scopes_disabled().count() == 1
