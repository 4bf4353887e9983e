"""From the cut-off to the bank, to the fen: every redemption on one statement, every one taken back corrected once."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from django.db import DatabaseError, connection, transaction
from django_scopes import scope
from openpyxl import load_workbook

from tests.benefits.conftest import NOON, Kitchen, books
from yizhan.benefits.exports.redemptions import COLUMNS, rows_of
from yizhan.benefits.exports.statements import payout_file, statement_pdf, statement_xlsx
from yizhan.benefits.exports.writers import Column, write_csv, write_parquet
from yizhan.benefits.models import BenefitOffer, CutOff, Redemption, Statement, StatementLine, StatementState
from yizhan.benefits.queries import finance
from yizhan.benefits.services import settlement, statements
from yizhan.benefits.services.payouts import (
    cancel_payout,
    make_payout,
    mark_paid,
    set_merchant_account,
    sort_out,
)
from yizhan.benefits.services.taking_back import refund
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

NIGHT = NOON.replace(hour=23)


def _lines(statement: Statement) -> list[StatementLine]:
    return list(StatementLine.objects.with_scopes_disabled().filter(statement=statement).order_by("pk"))


def _statements() -> list[Statement]:
    return list(Statement.objects.with_scopes_disabled().select_related("union", "place__union").order_by("pk"))


@pytest.fixture
def eaten(kitchen: Kitchen, offer: BenefitOffer) -> list[Redemption]:
    """Three meals of 15 yuan, 4 of them the union's."""
    return [kitchen.eat(offer, kitchen.worker()).redemption() for _meal in range(3)]


@pytest.fixture
def finance_desk(kitchen: Kitchen) -> tuple[Staff, Staff]:
    """Two finance officers of Zhongyuan."""
    return kitchen.post(kitchen.tree.zhongyuan, Role.FINANCE), kitchen.post(kitchen.tree.zhongyuan, Role.FINANCE)


def _account(kitchen: Kitchen, actor: object = OPERATOR) -> None:
    set_merchant_account(
        kitchen.place,
        actor=actor,
        holder="碧沙岗餐饮有限公司",
        bank="工商银行碧沙岗支行",
        branch_code="",
        number="6222 0000 0000 0001",
    )


def test_a_cut_off_marks_exactly_what_it_holds_to_the_fen(kitchen: Kitchen, eaten: list[Redemption]) -> None:
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NIGHT)
    (statement,) = _statements()
    assert sorted(line.redemption_id for line in _lines(statement)) == sorted(meal.pk for meal in eaten)
    assert (statement.redemptions, statement.list_fen, statement.worker_fen, statement.merchant_fen) == (
        3,
        4500,
        2700,
        600,
    )
    assert (statement.funded_fen, statement.collected_fen, statement.payable_fen) == (1200, 0, 1200)


def test_what_is_late_or_taken_back_stands_on_the_next_statement_once(
    kitchen: Kitchen, offer: BenefitOffer, eaten: list[Redemption]
) -> None:
    union = kitchen.tree.zhongyuan
    settlement.cut_off(union, actor=OPERATOR, at=NIGHT)
    refund(eaten[0], actor=OPERATOR, reason="退餐")
    late = kitchen.eat(offer, kitchen.worker(), at=NOON + timedelta(minutes=1)).redemption()
    for hour in range(3):
        settlement.cut_off(union, actor=OPERATOR, at=NIGHT + timedelta(hours=1 + hour))
    first, second = _statements()
    assert [(line.redemption_id, line.kind, line.payable_fen) for line in _lines(second)] == [
        (late.pk, "redemption", 400),
        (eaten[0].pk, "correction", -400),
    ]
    assert (second.payable_fen, second.redemptions, second.corrections) == (0, 1, 1)
    assert first.payable_fen == 1200


def test_what_was_taken_back_before_the_cut_off_is_on_none(kitchen: Kitchen, eaten: list[Redemption]) -> None:
    for meal in eaten:
        refund(meal, actor=OPERATOR, reason="退餐")
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NIGHT)
    assert _statements() == []


def test_the_nightly_cut_off_is_made_once_and_holds_what_was_eaten_before_its_moment(
    kitchen: Kitchen, offer: BenefitOffer, eaten: list[Redemption]
) -> None:
    union = kitchen.tree.zhongyuan
    kitchen.eat(offer, kitchen.worker(), at=NOON + timedelta(days=1))
    at = NOON + timedelta(days=1, hours=1)
    assert union in settlement.due_nightly(at=at)
    first, second = settlement.nightly_cut_off(union, at=at), settlement.nightly_cut_off(union, at=at)
    assert first.pk == second.pk
    assert (first.day, first.cut_at.isoformat()) == (NOON.date(), "2026-11-25T02:00:00+08:00")
    assert [statement.redemptions for statement in _statements()] == [3]
    assert union not in settlement.due_nightly(at=at)


def test_a_statement_goes_from_the_merchant_to_the_bank_and_the_books_follow(
    kitchen: Kitchen, eaten: list[Redemption], finance_desk: tuple[Staff, Staff]
) -> None:
    maker, other = finance_desk
    third = kitchen.post(kitchen.tree.zhongyuan, Role.FINANCE)
    settlement.cut_off(kitchen.tree.zhongyuan, actor=maker, at=NIGHT)
    (statement,) = _statements()
    statements.confirm(statement, actor=other, words="店主电话确认")
    for eyes in (maker, other):
        with pytest.raises(RuleBroken) as broken:
            statements.approve(statement, actor=eyes)
        assert broken.value.problems[0].code == "four_eyes"
    statements.approve(statement, actor=third)
    with pytest.raises(RuleBroken, match="没有可以付款的已审批结算单"):
        make_payout(kitchen.tree.zhongyuan, actor=maker)
    _account(kitchen, maker)
    assert sort_out(kitchen.tree.zhongyuan, maker=maker)[1][0].payable_fen == 1200
    payout = make_payout(kitchen.tree.zhongyuan, actor=other)
    items = list(finance.items_of(payout))
    sheet = load_workbook(BytesIO(payout_file(payout, items, form="xlsx"))).active
    assert [cell.value for cell in sheet[2]][1:6] == [
        "碧沙岗餐饮有限公司",
        "6222000000000001",
        "工商银行碧沙岗支行",
        None,
        12,
    ]
    assert "6222000000000001" in payout_file(payout, items, form="csv").decode("utf-8-sig")
    before = books()
    mark_paid(payout, actor=other, bank_reference="PC20261125001")
    mark_paid(payout, actor=other, bank_reference="PC20261125001")
    after = books()
    assert after["merchant"] - before["merchant"] == -1200
    assert after["bank"] == 1200
    statement.refresh_from_db()
    assert statement.state == StatementState.PAID


def test_a_merchant_disputes_and_finance_answers(
    kitchen: Kitchen, eaten: list[Redemption], finance_desk: tuple[Staff, Staff]
) -> None:
    maker, _other = finance_desk
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NIGHT)
    (statement,) = _statements()
    first, second, _third = _lines(statement)
    statements.dispute(statement, lines={first.public_id: "没有这一单", second.public_id: "价格不对"}, actor=maker)
    with pytest.raises(RuleBroken):
        statements.confirm(statement, actor=maker, words="电话")
    statements.answer(first, actor=maker, words="查实，撤销", take_back=True)
    answered = statements.answer(second, actor=maker, words="价格与合同一致", take_back=False)
    assert answered.state == StatementState.MADE
    statements.confirm(statement, actor=maker, words="电话确认")
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NIGHT + timedelta(hours=1))
    assert [line.payable_fen for line in _lines(_statements()[1])] == [-400]


def test_a_cancelled_payout_frees_its_statements(
    kitchen: Kitchen, eaten: list[Redemption], finance_desk: tuple[Staff, Staff]
) -> None:
    maker, other = finance_desk
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NIGHT)
    (statement,) = _statements()
    statements.confirm(statement, actor=maker, words="电话")
    statements.approve(statement, actor=other)
    _account(kitchen)
    payout = make_payout(kitchen.tree.zhongyuan, actor=maker)
    with pytest.raises(RuleBroken):
        make_payout(kitchen.tree.zhongyuan, actor=maker)
    cancel_payout(payout, actor=maker, reason="网银限额")
    assert make_payout(kitchen.tree.zhongyuan, actor=maker).total_fen == 1200


def test_the_statement_taken_home_says_what_the_database_says(kitchen: Kitchen, eaten: list[Redemption]) -> None:
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NIGHT)
    (statement,) = _statements()
    rows = list(load_workbook(BytesIO(statement_xlsx(statement, finance.lines_in_order(statement)))).active.values)
    assert len(rows) == 1 + 3 + 1
    amounts = [[round(value * 100) for value in row[6:12]] for row in rows[1:]]
    assert amounts[:3] == [[1500, 900, 200, 400, 0, 400]] * 3
    assert amounts[3] == [sum(column) for column in zip(*amounts[:3], strict=True)]
    assert statement_pdf(statement, finance.lines_in_order(statement)).startswith(b"%PDF-")


def test_finance_of_a_neighbour_settles_sees_and_exports_nothing(
    kitchen: Kitchen, eaten: list[Redemption], finance_desk: tuple[Staff, Staff]
) -> None:
    neighbour = kitchen.post(kitchen.tree.jinshui, Role.FINANCE)
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NIGHT)
    (statement,) = _statements()
    for act in (
        lambda: settlement.cut_off(kitchen.tree.zhongyuan, actor=neighbour),
        lambda: statements.confirm(statement, actor=neighbour, words="电话"),
        lambda: statements.approve(statement, actor=neighbour),
        lambda: make_payout(kitchen.tree.zhongyuan, actor=neighbour),
        lambda: set_merchant_account(kitchen.place, actor=neighbour, holder="我", bank="行", number="12345678"),
    ):
        with pytest.raises(NotAllowed):
            act()
    for staff, many in ((neighbour, 0), (finance_desk[0], 3)):
        with scope(union=staff.union.path):
            assert len(list(rows_of(finance.redemptions(for_staff=staff)))) == many
            assert finance.statements(for_staff=staff).count() == bool(many)
            assert finance.overview(for_staff=staff, at=NOON).redeemed_today == many
            assert (
                sum(row.fen for row in finance.funding(for_staff=staff, since=NOON.date(), until=NOON.date()))
                == 400 * many
            )


def test_an_export_names_no_worker_and_adds_up(
    kitchen: Kitchen, eaten: list[Redemption], finance_desk: tuple[Staff, Staff]
) -> None:
    with scope(union=kitchen.tree.zhongyuan.path):
        rows = [
            dict(zip([column.name for column in COLUMNS], row, strict=True))
            for row in rows_of(finance.redemptions(for_staff=finance_desk[0]))
        ]
    assert [row["list_price"] for row in rows] == [
        row["worker_share"] + row["merchant_share"] + row["funded"] for row in rows
    ]
    assert not any(str(value).startswith("小哥") for row in rows for value in row.values())


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE benefits_statement SET payable_fen = payable_fen + 1",
        "UPDATE benefits_statement SET state = 'paid'",
        "UPDATE benefits_statement SET state = 'approved'",
        "UPDATE benefits_statementline SET list_fen = 0",
        "DELETE FROM benefits_statementline",
        (
            "INSERT INTO benefits_statementline (public_id, statement_id, redemption_id, kind, list_fen, worker_fen, "
            "merchant_fen, funded_fen, collected_fen, payable_fen) SELECT gen_random_uuid(), statement_id, "
            "redemption_id, 'correction', 0, 0, 0, 0, 0, 0 FROM benefits_statementline LIMIT 1"
        ),
    ],
)
def test_the_database_itself_refuses_what_would_falsify_a_statement(
    kitchen: Kitchen, eaten: list[Redemption], wrong: str
) -> None:
    settlement.cut_off(kitchen.tree.zhongyuan, actor=OPERATOR, at=NIGHT)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(wrong)
    assert CutOff.objects.with_scopes_disabled().count() == 1


def test_people_read_words_and_programs_values(tmp_path: Path) -> None:
    columns = [Column("state", "状态", words={"redeemed": "已核销"}), Column("fen", "补贴", "fen")]
    rows = [("redeemed", 400), ("unheard-of", 0)]
    write_csv(columns, rows, tmp_path / "a.csv")
    write_parquet(columns, rows, tmp_path / "a.parquet")
    assert (tmp_path / "a.csv").read_text("utf-8-sig").split() == ["状态,补贴", "已核销,4.00", "unheard-of,0.00"]
    assert pq.read_table(tmp_path / "a.parquet")["state"].to_pylist() == ["redeemed", "unheard-of"]
