"""Finance's pages: each opens, says what it holds, and every step can be taken there."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.test import Client
from openpyxl import load_workbook

from tests.benefits.conftest import NOON, Kitchen
from tests.places.conftest import PlaceMaker
from yizhan.benefits.exports.writers import Column, write_xlsx
from yizhan.benefits.models import (
    BenefitOffer,
    CounterPost,
    Difference,
    DifferenceKind,
    Payout,
    Redemption,
    RedemptionState,
    Signal,
    SignalKind,
    Statement,
    StatementLine,
    StatementState,
)
from yizhan.benefits.sample_money import fill_money
from yizhan.benefits.services import reconciliation, settlement, signals
from yizhan.unions.models import Staff
from yizhan.unions.rights import OPERATOR, Role

BASE = "/desk/benefits/money/"


def _client(staff: Staff) -> Client:
    client = Client()
    client.force_login(staff.user)
    return client


@pytest.fixture
def officers(kitchen: Kitchen) -> list[Staff]:
    return [kitchen.post(kitchen.tree.zhongyuan, Role.FINANCE) for _number in range(3)]


@pytest.fixture
def merchant(kitchen: Kitchen) -> Staff:
    post = kitchen.post(kitchen.tree.zhongyuan, Role.MERCHANT, name="店主")
    CounterPost.objects.create(staff=post, place=kitchen.place)
    return post


@pytest.fixture
def statement(kitchen: Kitchen, offer: BenefitOffer) -> Statement:
    for _meal in range(2):
        kitchen.eat(offer, kitchen.worker())
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NOON + timedelta(hours=9))
    found: Statement = Statement.objects.with_scopes_disabled().get()
    return found


def test_a_merchant_disputes_finance_answers_confirms_approves_and_pays(
    kitchen: Kitchen, statement: Statement, officers: list[Staff], merchant: Staff
) -> None:
    first, second, third = (_client(officer) for officer in officers)
    owner = _client(merchant)
    page = f"{BASE}statements/{statement.public_id}/"
    line = StatementLine.objects.with_scopes_disabled().filter(statement=statement).first()
    assert "没有这一单" not in owner.get(page).content.decode()
    assert owner.post(f"{page}dispute/", {"line": [str(line.public_id)], "words": ""}).status_code == 422
    assert owner.post(f"{page}dispute/", {"line": [str(line.public_id)], "words": "没有这一单"}).status_code == 302
    assert "没有这一单" in first.get(page).content.decode()
    told = {f"{line.public_id}-words": "监控可见，成立"}
    assert owner.post(f"{page}lines/{line.public_id}/answer/", told).status_code == 403
    assert first.post(f"{page}lines/{line.public_id}/answer/", told).status_code == 302
    assert owner.post(f"{page}approve/").status_code == 403
    assert owner.post(f"{page}confirm/").status_code == 302
    assert second.post(f"{page}approve/").status_code == 302
    account = f"{BASE}merchants/{kitchen.place.public_id}/"
    good = {"holder": "碧沙岗餐饮", "bank": "工商银行", "number": "6222000000000001"}
    assert third.post(account, {**good, "number": "abc"}).status_code == 422
    assert third.post(account, good).status_code == 302
    assert "6222000000000001" not in third.get(account).content.decode()
    assert first.get(f"{BASE}payouts/").content.decode().count("碧沙岗惠骑餐厅") == 1
    assert first.post(f"{BASE}payouts/make/").status_code == 302
    payout = Payout.objects.with_scopes_disabled().get()
    assert payout.total_fen == 800
    sheet = load_workbook(BytesIO(first.get(f"{BASE}payouts/{payout.public_id}/file.xlsx").content)).active
    assert [cell.value for cell in sheet[2]][2] == "6222000000000001"
    assert first.post(f"{BASE}payouts/{payout.public_id}/paid/", {"bank_reference": ""}).status_code == 422
    assert first.post(f"{BASE}payouts/{payout.public_id}/paid/", {"bank_reference": "PC1"}).status_code == 302
    assert "PC1" in first.get(f"{BASE}payouts/{payout.public_id}/").content.decode()
    statement.refresh_from_db()
    assert statement.state == StatementState.PAID
    assert owner.get(f"{page}file.pdf").content.startswith(b"%PDF")
    assert owner.get(BASE).status_code == 403


def test_a_merchant_sees_its_own_statements_alone(kitchen: Kitchen, statement: Statement, merchant: Staff) -> None:
    stranger = kitchen.post(kitchen.tree.zhongyuan, Role.MERCHANT)
    assert statement.number in _client(merchant).get(f"{BASE}statements/").content.decode()
    assert statement.number not in _client(stranger).get(f"{BASE}statements/").content.decode()
    assert _client(stranger).get(f"{BASE}statements/{statement.public_id}/").status_code == 404


@pytest.mark.parametrize(
    "name",
    ["", "statements/", "payouts/", "merchants/", "exceptions/", "reconciliation/", "signals/", "export/", "funding/"],
)
def test_every_page_of_money_opens_also_when_nothing_is_there(
    kitchen: Kitchen, officers: list[Staff], name: str
) -> None:
    assert _client(officers[0]).get(BASE + name).status_code == 200
    assert _client(kitchen.post(kitchen.tree.zhongyuan, Role.KEEPER)).get(BASE + name).status_code == 403


def test_lists_ask_the_database_the_same_however_long_they_are(
    kitchen: Kitchen,
    offer: BenefitOffer,
    statement: Statement,
    officers: list[Staff],
    django_assert_max_num_queries: object,
) -> None:
    client = _client(officers[0])
    for page in ("statements/", f"statements/{statement.public_id}/", "exceptions/", "reconciliation/", "signals/"):
        client.get(BASE + page)
        with django_assert_max_num_queries(24):  # type: ignore[operator]
            client.get(BASE + page)


def test_an_exception_is_decided_with_a_reason(kitchen: Kitchen, officers: list[Staff]) -> None:
    offer = kitchen.offer(quota_day=1)
    rider = kitchen.worker()
    kitchen.eat(offer, rider)
    second = kitchen.eat(offer, rider, offline=True).redemption()
    assert second.state == RedemptionState.EXCEPTION
    client = _client(officers[0])
    page = client.get(f"{BASE}exceptions/").content.decode()
    assert "碧沙岗惠骑餐厅" in page
    address, prefix = f"{BASE}exceptions/{second.public_id}/decide/", str(second.public_id)
    assert client.post(address, {f"{prefix}-accept": "yes"}).status_code == 422
    assert client.post(address, {f"{prefix}-accept": "yes", f"{prefix}-words": "断网期间，属实"}).status_code == 302
    second.refresh_from_db()
    assert second.state == RedemptionState.REDEEMED
    assert second.decided_by == officers[0]
    assert client.post(address, {f"{prefix}-accept": "no", f"{prefix}-words": "改"}).status_code == 404


def test_differences_and_signals_are_closed_with_words(
    kitchen: Kitchen, statement: Statement, officers: list[Staff]
) -> None:
    client = _client(officers[0])
    assert client.post(f"{BASE}reconciliation/run/").status_code == 302
    assert not Difference.objects.with_scopes_disabled().exists()
    meal = Redemption.objects.with_scopes_disabled().first()
    found = Difference.objects.create(
        union=kitchen.tree.zhongyuan, kind=DifferenceKind.NOT_BOOKED, redemption=meal, expected_fen=1500, found_fen=0,
        first_seen_at=NOON, last_seen_at=NOON,
    )  # fmt: skip
    odd = Signal.objects.create(
        union=kitchen.tree.zhongyuan, kind=SignalKind.FAST, key="x", place=kitchen.place, since=NOON, until=NOON,
        figure=9, limit=5, found_at=NOON,
    )  # fmt: skip
    resolve = f"{BASE}differences/{found.public_id}/resolve/"
    assert client.post(resolve, {}).status_code == 422
    assert client.post(resolve, {f"{found.public_id}-words": "已补记"}).status_code == 302
    review = f"{BASE}signals/{odd.public_id}/review/"
    assert client.post(review, {f"{odd.public_id}-misuse": "no"}).status_code == 422
    assert client.post(review, {f"{odd.public_id}-misuse": "no", f"{odd.public_id}-words": "午高峰"}).status_code == 302
    assert "午高峰" in client.get(f"{BASE}signals/").content.decode()
    assert "已补记" in client.get(f"{BASE}reconciliation/").content.decode()
    limits = _client(kitchen.post(kitchen.tree.zhongyuan, Role.ADMINISTRATOR))
    assert limits.post(f"{BASE}signals/limits/", {"far_metres": "10"}).status_code == 422
    assert limits.post(f"{BASE}signals/limits/", {"far_metres": "800"}).status_code == 302


def test_redemptions_are_taken_home_in_three_forms_that_agree_to_the_fen(
    kitchen: Kitchen, statement: Statement, officers: list[Staff]
) -> None:
    client = _client(officers[0])
    xlsx = client.get(f"{BASE}export/redemptions.xlsx")
    parquet = client.get(f"{BASE}export/redemptions.parquet")
    text = client.get(f"{BASE}export/redemptions.csv")
    assert [response["X-Row-Count"] for response in (xlsx, parquet, text)] == ["2"] * 3
    rows = list(load_workbook(BytesIO(xlsx.getvalue())).active.values)
    at = rows[0].index("原价")
    assert [round(row[at] * 100) for row in rows[1:]] == [1500, 1500]
    table = pq.read_table(BytesIO(parquet.getvalue()))
    assert table["list_price_fen"].to_pylist() == [1500, 1500]
    assert table["statement"].to_pylist() == [statement.number] * 2
    lines = text.getvalue().decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert lines[1].split(",")[at] == "15.00"
    assert client.get(f"{BASE}export/redemptions.xlsx?q=没有的店")["X-Row-Count"] == "0"
    assert client.get(f"{BASE}funding.xlsx?since=2026-11-01&until=2026-11-30")["X-Row-Count"] == "1"
    assert client.get(f"{BASE}funding/?since=2026-11-30&until=2026-11-01").status_code == 200


def test_the_nightly_checks_find_nothing_where_everything_agrees(kitchen: Kitchen, statement: Statement) -> None:
    made = reconciliation.reconcile(kitchen.tree.zhongyuan, at=NOON + timedelta(days=4))
    assert (made.differences, made.redeemed_fen, made.booked_fen, made.settled_fen) == (0, 800, 800, 800)
    assert signals.look_for_signals(kitchen.tree.zhongyuan, day=NOON.date()) >= 0


def test_a_counter_takes_the_workers_share_and_finance_reads_statements_by_the_api(
    kitchen: Kitchen, statement: Statement, officers: list[Staff], merchant: Staff
) -> None:
    owner = _client(merchant)
    meal = Redemption.objects.with_scopes_disabled().first()
    address = f"/api/benefits/counter/{kitchen.place.public_id}/redemptions/{meal.public_id}/workers-share"
    assert owner.get("/api/benefits/payment-channels").json() == {"channels": ["offline"]}
    assert owner.get(address).status_code == 404
    told = {"request_id": "11111111-1111-4111-8111-111111111111"}
    first = owner.post(address, told, content_type="application/json").json()
    assert (first["state"], first["open"], first["amount_fen"]) == ("paid", False, 900)
    assert owner.post(address, told, content_type="application/json").json() == first
    assert owner.get(address).json() == first
    refused = owner.post(address, {**told, "request_id": str(meal.public_id)}, content_type="application/json")
    assert refused.status_code == 422
    # What is not a payment code is not taken for cash, and a request of another redemption tells nothing of it.
    odd = owner.post(
        address, {"request_id": str(kitchen.place.public_id), "code": "12"}, content_type="application/json"
    )
    assert odd.status_code == 422
    other = Redemption.objects.with_scopes_disabled().last()
    assert (
        owner.post(
            address.replace(str(meal.public_id), str(other.public_id)), told, content_type="application/json"
        ).status_code
        == 404
    )
    listed = _client(officers[0]).get("/api/benefits/statements?since=2026-11-01").json()
    assert [row["number"] for row in listed["statements"]] == [statement.number]
    assert _client(kitchen.post(kitchen.tree.jinshui, Role.FINANCE)).get("/api/benefits/statements").json() == {
        "more": False,
        "statements": [],
    }


def test_the_sample_shows_statements_in_every_state_and_is_harmless_when_made_twice(
    kitchen: Kitchen, make_place: PlaceMaker
) -> None:
    union = kitchen.tree.zhongyuan
    finance_officer = kitchen.post(union, Role.FINANCE)
    programme = kitchen.programme()
    for number in range(6):
        place = make_place(union, kind="restaurant", name=f"{number}号店")
        made = kitchen.offer(programme, place=place, opened=number == 0)
        kitchen.eat(made, kitchen.worker(), at=NOON - timedelta(days=2))
    for _time in range(2):
        fill_money(union, actor=finance_officer)
    states = [str(each.state) for each in Statement.objects.with_scopes_disabled().order_by("pk")]
    assert sorted(states) == ["confirmed", "disputed", "made", "paid", "paid", "paid"]
    assert Payout.objects.with_scopes_disabled().get().total_fen == 3 * 400
    assert not Difference.objects.with_scopes_disabled().exists()


def test_rows_that_one_sheet_does_not_hold_go_on_on_the_next(tmp_path: Path) -> None:
    columns = [Column("number", "号码", "number"), Column("price", "金额", "fen"), Column("words", "说明")]
    rows = [(number, 1501 * number, "=1+1" if number == 4 else "饭") for number in range(1, 6)]
    path = tmp_path / "out.xlsx"
    assert write_xlsx(columns, iter(rows), path, rows_per_sheet=2) == 5
    sheets = [list(sheet.values) for sheet in load_workbook(path)]
    assert [len(sheet) for sheet in sheets] == [3, 3, 2]
    assert {sheet[0] for sheet in sheets} == {("号码", "金额", "说明")}
    told = [row for sheet in sheets for row in sheet[1:]]
    assert [(row[0], round(row[1] * 100)) for row in told] == [(number, fen) for number, fen, _words in rows]
    assert not str(told[3][2]).startswith("=")
