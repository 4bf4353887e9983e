"""Subsidies and lists to take home, as the desk, finance and programs meet them."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from tests.conftest import PostMaker
from tests.rescue.rescue_makers import Street
from tests.rescue.subsidy_makers import AMOUNT, Purse
from yizhan.benefits.models import Budget, ProgrammeState, Redemption
from yizhan.benefits.services.taking_back import refund
from yizhan.rescue.models import RescueCall, SubsidyState, SubsidyTerms
from yizhan.rescue.services.calls import confirm_done
from yizhan.unions.models import AuditEntry, Staff
from yizhan.unions.rights import OPERATOR, Role

pytestmark = pytest.mark.django_db


def browser(person: Staff) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(person.user)
    return client


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def filled(**more: Any) -> dict[str, Any]:
    return {
        "name": "救援补助", "amount": "100", "proof_radius_m": "500", "starts_on": timezone.localdate().isoformat(),
        "cap": "5000", "cap_day": "300", **more,
    }  # fmt: skip


def test_an_administrator_begins_to_pay_for_rescues_in_one_form(purse: Purse) -> None:
    desk = browser(purse.street.boss)
    address = reverse("rescue:new_subsidy")
    assert desk.get(address).status_code == 200
    union = str(purse.street.tree.zhengzhou.public_id)
    assert desk.post(address, filled(union=union, amount="0")).status_code == 422
    assert desk.post(address, filled(union=union)).status_code == 302
    terms = SubsidyTerms.objects.with_scopes_disabled().get()
    assert (terms.amount_fen, terms.programme.state) == (AMOUNT, ProgrammeState.OPEN)
    caps = Budget.objects.with_scopes_disabled().order_by("cap_fen").values_list("span", "cap_fen")
    assert list(caps) == [("day", 300_00), ("total", 5000_00)]
    page = desk.get(reverse("rescue:subsidies")).content.decode()
    assert "救援补助" in page
    assert desk.post(terms.get_absolute_url(), {"amount": "80", "proof_radius_m": "600"}).status_code == 302
    terms.refresh_from_db()
    assert (terms.amount_fen, terms.proof_radius_m) == (80_00, 600)


def test_a_cadre_drafts_and_finance_cannot(purse: Purse, post: PostMaker) -> None:
    tree = purse.street.tree
    cadre = browser(post(tree.zhengzhou, Role.CADRE))
    address = reverse("rescue:new_subsidy")
    union = str(tree.zhengzhou.public_id)
    assert cadre.post(address, filled(union=union)).status_code == 302  # caps are not theirs to set: left out
    assert not Budget.objects.with_scopes_disabled().exists()
    assert SubsidyTerms.objects.with_scopes_disabled().get().programme.state == ProgrammeState.DRAFT
    finance = browser(post(tree.zhengzhou, Role.FINANCE))
    assert finance.get(address).status_code == 403
    assert finance.get(reverse("rescue:subsidies")).status_code == 200


def test_the_desk_reads_why_not_and_tries_again(purse: Purse) -> None:
    purse.open()
    subsidy = purse.confirmed(purse.rescuer(paid=False))
    desk = browser(purse.street.boss)
    page = desk.get(reverse("rescue:subsidies"), {"state": "refused"}).content.decode()
    assert str(subsidy.public_id) in page
    again = reverse("rescue:retry_subsidy", args=[subsidy.public_id])
    assert desk.post(again, {"back": "call"})["Location"] == subsidy.call.get_absolute_url()
    assert purse.of(subsidy.call).state == SubsidyState.REFUSED
    subsidy.rescuer.paid_at = purse.point
    subsidy.rescuer.save(update_fields=["paid_at"])
    assert desk.post(reverse("rescue:retry_subsidies")).status_code == 302
    assert purse.of(subsidy.call).state == SubsidyState.PAID
    assert "100.00" in desk.get(subsidy.call.get_absolute_url()).content.decode()
    trail = AuditEntry.objects.with_scopes_disabled().filter(action="rescue.subsidy_paid")
    assert trail.count() == 1


def test_a_rescuer_reads_on_the_phone_whether_the_last_rescue_was_paid(purse: Purse) -> None:
    purse.open()
    rescuer = purse.rescuer()
    purse.confirmed(rescuer)
    assert rescuer.user is not None
    client = Client()
    client.force_login(rescuer.user)
    assert "100.00" in client.get(reverse("rescue:duty")).content.decode()


def test_what_finance_refunds_is_not_shown_as_paid(purse: Purse, post: PostMaker) -> None:
    purse.open()
    subsidy = purse.confirmed()
    assert subsidy.redemption is not None
    refund(subsidy.redemption, actor=OPERATOR, reason="重复领取")
    page = browser(purse.street.boss).get(reverse("rescue:subsidies")).content.decode()
    assert "重复领取" in page


def test_a_neighbour_finds_no_door_to_a_subsidy(purse: Purse, post: PostMaker) -> None:
    purse.open()
    subsidy = purse.confirmed(away_m=900)
    neighbour = browser(post(purse.street.tree.shenzhen))
    assert neighbour.post(reverse("rescue:retry_subsidy", args=[subsidy.public_id])).status_code == 404
    assert rows_of(neighbour.get(reverse("rescue:subsidies_export", args=["csv"])).content) == []
    reader = browser(post(purse.street.tree.zhengzhou, Role.READER))
    assert reader.post(reverse("rescue:retry_subsidy", args=[subsidy.public_id])).status_code == 403


def test_programs_read_and_retry_subsidies(purse: Purse, post: PostMaker) -> None:
    purse.open()
    subsidy = purse.confirmed(away_m=900)
    desk = browser(purse.street.boss)
    told = desk.get("/api/rescue/subsidies", {"state": "refused"}).json()
    assert [each["reason"] for each in told["items"]] == ["too_far"]
    SubsidyTerms.objects.with_scopes_disabled().update(proof_radius_m=1000)
    again = desk.post(f"/api/rescue/subsidies/{subsidy.public_id}/retry", content_type="application/json").json()
    assert (again["state"], again["amount_fen"]) == ("paid", AMOUNT)
    same = desk.post(f"/api/rescue/subsidies/{subsidy.public_id}/retry", content_type="application/json").json()
    assert same["redemption"] == again["redemption"]
    assert browser(post(purse.street.tree.shenzhen)).get("/api/rescue/subsidies").json()["items"] == []
    assert Client().get("/api/rescue/subsidies").status_code == 401


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_lists_go_home_whole_masked_and_harmless(purse: Purse, form: str) -> None:
    purse.open()
    subsidy = purse.confirmed(call=purse.street.call(words="勿外传", contact_phone="13800138999"))
    purse.street.call()
    RescueCall.objects.with_scopes_disabled().filter(pk=subsidy.call_id).update(parts="=1+1")
    desk = browser(purse.street.boss)
    calls = desk.get(reverse("rescue:history_export", args=[form]))
    paid = desk.get(reverse("rescue:subsidies_export", args=[form]))
    assert (calls["X-Row-Count"], paid["X-Row-Count"]) == ("2", "1")
    if form == "xlsx":
        book = load_workbook(io.BytesIO(calls.content))
        assert book.active is not None
        values = [str(cell.value) for row in book.active.iter_rows() for cell in row]
        assert book.active.max_row == 3
    else:
        rows = rows_of(calls.content)
        assert len(rows) == 2
        values = [value for row in rows for value in row.values()]
    assert "'=1+1" in values
    assert not any("13800138999" in value or "勿外传" in value for value in values)
    trail = AuditEntry.objects.with_scopes_disabled().filter(
        action__in=["rescue.exported", "rescue.subsidies_exported"]
    )
    assert sorted(trail.values_list("details__rows", flat=True)) == [1, 2]


def test_the_list_that_goes_home_is_the_narrowed_one(street: Street) -> None:
    old, _new = street.call(), street.call()
    RescueCall.objects.with_scopes_disabled().filter(pk=old.pk).update(
        received_at=timezone.now() - timedelta(days=20), waiting_since=timezone.now() - timedelta(days=20)
    )
    desk = browser(street.boss)
    address = reverse("rescue:history_export", args=["csv"])
    assert [desk.get(address, {"days": days})["X-Row-Count"] for days in ("7", "30")] == ["1", "2"]
    assert desk.get(address, {"state": "cancelled"})["X-Row-Count"] == "0"


def test_who_only_reads_takes_no_list_home(street: Street, post: PostMaker) -> None:
    street.call()
    reader = browser(post(street.tree.zhengzhou, Role.READER))
    assert reader.get(reverse("rescue:history_export", args=["csv"])).status_code == 403
    assert reader.get(reverse("rescue:history_export", args=["pdf"])).status_code == 403
    assert browser(street.boss).get(reverse("rescue:history_export", args=["pdf"])).status_code == 404


def test_the_desk_confirms_for_a_rider_whom_it_rang(purse: Purse) -> None:
    purse.open()
    call = purse.mended()
    desk = browser(purse.street.boss)
    address = reverse("rescue:take", args=[call.public_id, "confirm"])
    desk.post(address, {"words": ""})
    assert purse.of(call).state == SubsidyState.WAITING
    desk.post(address, {"words": "18:20 电话确认"})
    assert purse.of(call).state == SubsidyState.DUE
    assert Redemption.objects.with_scopes_disabled().count() == 0  # paid once that is committed


def test_confirmed_and_committed_it_is_paid_at_once(purse: Purse, django_capture_on_commit_callbacks: Any) -> None:
    purse.open()
    call = purse.mended()
    with django_capture_on_commit_callbacks(execute=True):
        confirm_done(call)
    assert purse.of(call).state == SubsidyState.PAID
