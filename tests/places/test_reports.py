"""Reports from the first tap to the verdict, through the services and the pages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, InternalError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook
from PIL import Image

from tests.conftest import PostMaker, UnionTree
from tests.places.conftest import PlaceMaker, shanghai
from yizhan.places.models import (
    EventKind,
    Place,
    Report,
    ReportEvent,
    ReportPhoto,
    ReportReceipt,
    ReportState,
    StarChange,
)
from yizhan.places.reports.receipts import token_of
from yizhan.places.reports.rules import Rules, rules_of
from yizhan.places.reports.sample import make_sample_reports
from yizhan.places.reports.throttle import PER_CLIENT_AND_PLACE, PER_PLACE, TooMany, count_report
from yizhan.places.services import close_place, withdraw_place
from yizhan.places.services import reports as services
from yizhan.places.services.report_clock import forget_reporters, recount_all_stars, watch_deadlines
from yizhan.places.services.report_log import life_now
from yizhan.places.services.report_rules import set_report_rules
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import AuditEntry, InboxMessage, Staff, Union
from yizhan.unions.rights import OPERATOR, NotAllowed, Role

MONDAY = shanghai(2026, 11, 23, 10)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def forgetful_cache(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": uuid4().hex}}
    cache.clear()


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """It is Monday morning in Shanghai."""
    with time_machine.travel(MONDAY) as traveller:
        yield traveller


def tell(place: Place, kind: str = "door_locked", *, at: datetime = MONDAY, **more: Any) -> ReportReceipt:
    values: dict[str, Any] = {"request_id": uuid4(), **more}
    return services.report_fault(place, kind=kind, at=at, **values)


def answer(
    receipt: ReportReceipt, actor: Staff, answer: str = "fixed", *, at: datetime = MONDAY, **more: Any
) -> Report:
    return services.answer_report(
        receipt.report, answer=answer, words=more.pop("words", "换了新锁"), actor=actor, at=at, **more
    )


def stored(receipt: ReportReceipt) -> Report:
    report: Report = Report.objects.with_scopes_disabled().get(pk=receipt.report_id)
    return report


def stars(place: Place) -> int:
    return Place.objects.with_scopes_disabled().get(pk=place.pk).stars  # type: ignore[no-any-return]


def events(receipt: ReportReceipt) -> list[str]:
    found = ReportEvent.objects.with_scopes_disabled().filter(report=receipt.report_id).order_by("at", "pk")
    return list(found.values_list("kind", flat=True))


def photo(size: tuple[int, int] = (640, 480)) -> bytes:
    out = BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SecretPhone"
    exif.get_ifd(0x8825)[2] = (34.0, 45.0, 0.0)
    Image.new("RGB", size, "red").save(out, "JPEG", exif=exif)
    return out.getvalue()


# --- telling -----------------------------------------------------------------------------------------------------


def test_a_tap_reports_and_the_keeper_is_told(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    keeper, above = post(tree.zhongyuan, Role.KEEPER), post(tree.zhengzhou, Role.CADRE)
    receipt = tell(place)
    assert stored(receipt).state == ReportState.OPEN
    assert InboxMessage.objects.with_scopes_disabled().filter(post=keeper, title__contains=place.name).count() == 1
    assert not InboxMessage.objects.with_scopes_disabled().filter(post=above).exists()
    event = ReportEvent.objects.with_scopes_disabled().get()
    assert event.due_at == shanghai(2026, 11, 25)  # one working day


def test_the_same_request_counts_once_and_gives_the_same_receipt(tree: UnionTree, make_place: PlaceMaker) -> None:
    place, request_id = make_place(tree.zhongyuan), uuid4()
    first = tell(place, request_id=request_id)
    again = tell(place, request_id=request_id, words="x" * 501)  # replayed before anything is looked at
    assert token_of(first) == token_of(again)
    assert events(first) == ["reported"]
    other = tell(place, "no_water", request_id=request_id)  # another button of the same page
    assert other.report_id != first.report_id


def test_the_same_fault_is_one_report_but_something_else_never_is(tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    assert tell(place).report_id == tell(place).report_id
    assert tell(place, "other", words="灯坏了").report_id != tell(place, "other", words="漏水").report_id


def test_reported_again_after_an_answer_reopens_within_two_weeks(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place, keeper = make_place(tree.zhongyuan), post(tree.zhongyuan, Role.KEEPER)
    first = tell(place)
    answer(first, keeper)
    assert tell(place, at=MONDAY + 13 * DAY).report_id == first.report_id
    assert stored(first).state == ReportState.OPEN
    answer(first, keeper, at=MONDAY + 13 * DAY)
    assert tell(place, at=MONDAY + 28 * DAY).report_id != first.report_id


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "meteor"}, "kind"),
        ({"kind": "other"}, "words"),
        ({"kind": "other", "words": "\x00 \n"}, "words"),
        ({"words": "字" * 501}, "words"),
        ({"photo": b"GIF89a not a picture"}, "photo"),
        ({"photo": photo()[:300]}, "photo"),
    ],
)
def test_a_broken_report_is_refused_and_nothing_is_stored(
    tree: UnionTree, make_place: PlaceMaker, given: dict[str, Any], field: str
) -> None:
    place = make_place(tree.zhongyuan)
    with pytest.raises(RuleBroken) as broken:
        tell(place, **given)
    assert broken.value.problems[0].field == field
    assert not Report.objects.with_scopes_disabled().exists()


def test_only_published_places_are_reported_about(tree: UnionTree, make_place: PlaceMaker, post: PostMaker) -> None:
    draft = make_place(tree.zhongyuan, publish=False)
    withdrawn = withdraw_place(make_place(tree.zhongyuan), actor=post(tree.zhongyuan))
    for place in (draft, withdrawn):
        with pytest.raises(RuleBroken):
            tell(place)


def test_a_photo_is_kept_as_a_picture_alone(
    tree: UnionTree, make_place: PlaceMaker, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    tell(make_place(tree.zhongyuan), photo=photo())
    kept = ReportPhoto.objects.with_scopes_disabled().get()
    content = kept.file.read()
    assert b"SecretPhone" not in content
    assert not Image.open(BytesIO(content)).getexif()


def test_too_many_reports_of_one_client_about_one_place_are_refused_without_keeping_the_address(
    tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    for _n in range(PER_CLIENT_AND_PLACE):
        tell(place, address="203.0.113.9")
    with pytest.raises(TooMany):
        tell(place, address="203.0.113.9")
    tell(place, address="203.0.113.10")
    assert not [key for key in cache._cache if "203.0.113" in key]
    assert not AuditEntry.objects.with_scopes_disabled().filter(address__isnull=False).exists()


def test_everybody_together_cannot_flood_a_place(tree: UnionTree, make_place: PlaceMaker) -> None:
    place, other = make_place(tree.zhongyuan), make_place(tree.zhongyuan)
    for n in range(PER_PLACE):
        count_report(f"203.0.{n // 200}.{n % 200}", place.public_id)
    with pytest.raises(TooMany):
        tell(place, address="198.51.100.7")
    tell(other, address="198.51.100.7")


def test_the_log_cannot_be_changed_or_removed(tree: UnionTree, make_place: PlaceMaker) -> None:
    tell(make_place(tree.zhongyuan))
    logged = ReportEvent.objects.with_scopes_disabled()
    with pytest.raises((InternalError, IntegrityError, Exception), match="append-only"), transaction.atomic():
        logged.update(kind=EventKind.FIXED)
    with pytest.raises((InternalError, IntegrityError, Exception), match="append-only"), transaction.atomic():
        logged.all().delete()


def test_a_slip_of_the_finger_can_be_taken_back_soon_and_alone(tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    slip = tell(place)
    services.take_back(slip, at=MONDAY + timedelta(minutes=5))
    assert stored(slip).state == ReportState.WITHDRAWN
    late = tell(place)
    with pytest.raises(RuleBroken):
        services.take_back(late, at=MONDAY + timedelta(minutes=31))
    tell(place)
    with pytest.raises(RuleBroken):
        services.take_back(late, at=MONDAY + timedelta(minutes=5))


# --- answering ---------------------------------------------------------------------------------------------------


def test_a_keeper_answers_and_the_reporter_reopens(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    place, keeper = make_place(tree.zhongyuan), post(tree.zhongyuan, Role.KEEPER)
    receipt = tell(place)
    answer(receipt, keeper)
    assert stored(receipt).state == ReportState.FIXED
    services.judge_answer(receipt, fixed=False, at=MONDAY + DAY)
    assert stored(receipt).state == ReportState.OPEN
    answer(receipt, keeper, at=MONDAY + DAY)
    services.judge_answer(receipt, fixed=True, at=MONDAY + DAY)
    services.judge_answer(receipt, fixed=True, at=MONDAY + DAY)
    assert stored(receipt).state == ReportState.SETTLED
    assert events(receipt) == ["reported", "fixed", "said_not_fixed", "fixed", "said_fixed"]
    with pytest.raises(RuleBroken):
        services.judge_answer(receipt, fixed=False, at=MONDAY + DAY)


def test_who_joined_later_cannot_settle_a_report_but_can_reopen_it(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place, keeper = make_place(tree.zhongyuan), post(tree.zhongyuan, Role.KEEPER)
    first, second = tell(place), tell(place, at=MONDAY + timedelta(hours=1))
    answer(first, keeper, at=MONDAY + timedelta(hours=2))
    services.judge_answer(second, fixed=True, at=MONDAY + DAY)
    assert stored(first).state == ReportState.FIXED
    services.judge_answer(second, fixed=False, at=MONDAY + DAY)
    assert stored(first).state == ReportState.OPEN


def test_more_time_moves_the_deadline_within_the_rules(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place, keeper = make_place(tree.zhongyuan), post(tree.zhongyuan, Role.KEEPER)
    receipt = tell(place)
    for until in (None, MONDAY.date(), (MONDAY + 31 * DAY).date()):
        with pytest.raises(RuleBroken) as broken:
            answer(receipt, keeper, "promised", until=until)
        assert broken.value.problems[0].field == "until"
    answer(receipt, keeper, "promised", until=(MONDAY + 5 * DAY).date())
    assert life_now(stored(receipt)).due_at == shanghai(2026, 11, 29)
    answer(receipt, keeper, "promised", until=(MONDAY + 9 * DAY).date())
    with pytest.raises(RuleBroken) as broken:
        answer(receipt, keeper, "promised", until=(MONDAY + 12 * DAY).date())
    assert broken.value.problems[0].code == "too_often"


@pytest.mark.parametrize("given", [{"answer": "maybe"}, {"words": "  "}, {"words": "字" * 501}, {"seen": 7}])
def test_a_broken_answer_is_refused(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, given: dict[str, Any]
) -> None:
    receipt = tell(make_place(tree.zhongyuan))
    with pytest.raises(RuleBroken):
        answer(receipt, post(tree.zhongyuan, Role.KEEPER), **given)
    assert events(receipt) == ["reported"]


@pytest.mark.parametrize("role", [Role.FINANCE, Role.READER])
def test_only_keepers_and_cadres_of_the_union_or_above_answer(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, role: Role
) -> None:
    receipt = tell(make_place(tree.zhongyuan))
    wrong = [post(tree.zhongyuan, role), post(tree.jinshui), post(tree.shifo), post(tree.shenzhen)]
    for staff in wrong:
        with pytest.raises(NotAllowed):
            answer(receipt, staff)
    answer(receipt, post(tree.zhengzhou, Role.CADRE))


def test_nobody_verifies_their_own_answer_and_keepers_verify_none(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    receipt = tell(make_place(tree.zhongyuan))
    cadre, keeper, above = post(tree.zhongyuan, Role.CADRE), post(tree.zhongyuan, Role.KEEPER), post(tree.zhengzhou)
    with pytest.raises(RuleBroken):
        services.verify_report(receipt.report, actor=above, at=MONDAY)
    answer(receipt, cadre)
    with pytest.raises(RuleBroken):
        services.verify_report(receipt.report, actor=cadre, at=MONDAY)
    with pytest.raises(NotAllowed):
        services.verify_report(receipt.report, actor=keeper, at=MONDAY)
    services.verify_report(receipt.report, actor=above, at=MONDAY)
    assert stored(receipt).state == ReportState.SETTLED


# --- deadlines, stars --------------------------------------------------------------------------------------------


def test_of_a_passed_deadline_the_keeper_is_told_once_and_then_the_union_above_once(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place, keeper = make_place(tree.zhongyuan), post(tree.zhongyuan, Role.KEEPER)
    above, beside = post(tree.zhengzhou, Role.CADRE), post(tree.jinshui, Role.CADRE)
    receipt = tell(place)

    def messages(staff: Staff) -> int:
        found: int = InboxMessage.objects.with_scopes_disabled().filter(post=staff).count()
        return found

    assert watch_deadlines(at=shanghai(2026, 11, 24, 23, 59)) == 0
    due = shanghai(2026, 11, 25)
    assert watch_deadlines(at=due) == 1
    assert watch_deadlines(at=due + timedelta(minutes=10)) == 0
    assert (messages(keeper), messages(above)) == (2, 0)  # the report, and that it is overdue
    assert watch_deadlines(at=shanghai(2026, 11, 26)) == 1
    assert watch_deadlines(at=shanghai(2026, 11, 26, 1)) == 0
    assert (messages(keeper), messages(above), messages(beside)) == (2, 1, 0)
    assert events(receipt) == ["reported", "reminded", "escalated"]
    answer(receipt, keeper, at=shanghai(2026, 11, 26, 2))
    assert watch_deadlines(at=shanghai(2026, 12, 26)) == 0


def test_two_overdue_reports_take_a_star_which_repair_and_verification_bring_back(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, client: Client
) -> None:
    place, keeper = make_place(tree.zhongyuan), post(tree.zhongyuan, Role.KEEPER)
    before = stars(place)
    door, water = tell(place), tell(place, "no_water")
    late = shanghai(2026, 11, 25, 1)
    watch_deadlines(at=late)
    assert stars(place) == before - 1
    page = client.get(f"/places/{place.public_id}/").content.decode()
    assert "因两次反馈未按时处理，本站减一星。" in page
    trail = AuditEntry.objects.with_scopes_disabled().get(action="places.stars_taken")
    assert trail.details == {"overdue": 2, "off": 1, "stars": before - 1}
    for receipt in (door, water):
        answer(receipt, keeper, at=late)
    watch_deadlines(at=late)
    assert stars(place) == before - 1  # answered is not yet verified
    services.judge_answer(door, fixed=True, at=late + DAY)
    assert stars(place) == before
    assert AuditEntry.objects.with_scopes_disabled().filter(action="places.stars_given_back").count() == 1
    assert "减一星" not in client.get(f"/places/{place.public_id}/").content.decode()


def test_no_place_falls_below_zero_stars_and_gets_back_only_what_it_lost(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    Place.objects.with_scopes_disabled().filter(pk=place.pk).update(stars=1)
    set_report_rules(tree.zhongyuan, {"star_after": 1}, actor=OPERATOR)
    told = [tell(place, kind) for kind in ("door_locked", "no_water", "medicine_expired")]
    late = shanghai(2026, 11, 25, 1)
    watch_deadlines(at=late)
    assert stars(place) == 0
    keeper, above = post(tree.zhongyuan, Role.KEEPER), post(tree.zhengzhou)
    for receipt in told:
        answer(receipt, keeper, at=late)
        services.verify_report(receipt.report, actor=above, at=late)
    assert stars(place) == 1
    assert [change.off for change in StarChange.objects.with_scopes_disabled().order_by("pk")][-1] == 0


def test_rules_come_from_the_nearest_union_that_says_them(tree: UnionTree, post: PostMaker) -> None:
    set_report_rules(tree.henan, {"days_door_locked": 3, "star_after": 4}, actor=post(tree.henan))
    set_report_rules(tree.zhongyuan, {"days_door_locked": 2}, actor=post(tree.zhongyuan))
    tree.shifo.refresh_from_db()
    assert rules_of(tree.shifo) == Rules(days_door_locked=2, star_after=4)
    assert rules_of(tree.jinshui) == Rules(days_door_locked=3, star_after=4)
    assert rules_of(tree.shenzhen) == Rules()
    with pytest.raises(NotAllowed):
        set_report_rules(tree.zhongyuan, {}, actor=post(tree.jinshui))
    with pytest.raises(RuleBroken):
        set_report_rules(tree.zhongyuan, {"days_door_locked": 0}, actor=post(tree.zhongyuan))


def test_a_changed_rule_of_the_stars_holds_from_the_next_nightly_count(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    before = stars(place)
    tell(place)
    late = shanghai(2026, 11, 25, 1)
    watch_deadlines(at=late)
    set_report_rules(tree.zhengzhou, {"star_after": 1}, actor=OPERATOR)
    assert recount_all_stars(at=late) == 1
    assert stars(place) == before - 1
    set_report_rules(tree.zhengzhou, {"star_after": 0}, actor=OPERATOR)
    assert recount_all_stars(at=late) == 1
    assert recount_all_stars(at=late) == 0
    assert stars(place) == before


def test_a_place_that_is_closed_for_good_is_left_in_peace(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    tell(place)
    close_place(place, actor=post(tree.zhongyuan))
    assert watch_deadlines(at=shanghai(2026, 12, 25)) == 0


def test_words_and_photos_are_forgotten_half_a_year_after_the_report_was_settled(
    tree: UnionTree, make_place: PlaceMaker, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    place = make_place(tree.zhongyuan)
    receipt = tell(place, words="老王的门锁了", photo=photo())
    services.judge_answer(receipt, fixed=True, at=MONDAY + DAY)
    assert forget_reporters(at=MONDAY + 100 * DAY) == 0
    assert forget_reporters(at=MONDAY + 190 * DAY) == 1
    assert forget_reporters(at=MONDAY + 190 * DAY) == 0
    assert ReportReceipt.objects.with_scopes_disabled().get().words == ""
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


# --- pages -------------------------------------------------------------------------------------------------------


def test_one_tap_on_the_place_page_without_script_leads_to_a_receipt(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    page = client.get(f"/places/{place.public_id}/").content.decode()
    assert 'value="door_locked"' in page
    request_id = page.split('name="request_id" value="')[1].split('"')[0]
    tap = {"request_id": request_id, "kind": "door_locked"}
    first = client.post(f"/places/{place.public_id}/report/", tap)
    again = client.post(f"/places/{place.public_id}/report/", tap)
    assert first.status_code == 302
    assert first["Location"] == again["Location"]
    receipt = client.get(first["Location"])
    assert receipt.status_code == 200
    assert receipt["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in receipt["Cache-Control"]
    assert "今天有人反馈门锁着，站点正在处理。" in client.get(f"/places/{place.public_id}/").content.decode()


def test_few_reporters_are_never_counted_in_public(client: Client, tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    now = MONDAY
    texts = []
    for _n in range(5):
        tell(place, "no_water", at=now)
        page = client.get(f"/places/{place.public_id}/").content.decode()
        texts.append(page.split('class="note note-warn">')[1].split("</p>")[0])
    assert texts[0].startswith("今天有人反馈没有水")
    assert len(set(texts[1:4])) == 1
    assert not any(letter.isdigit() for text in texts[:4] for letter in text)
    assert "5人反馈" in texts[4].replace(" ", "")


def test_a_report_with_words_and_a_photo_is_seen_by_the_keeper_and_its_reporter_alone(
    client: Client, tree: UnionTree, post: PostMaker, make_place: PlaceMaker, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    place = make_place(tree.zhongyuan)
    given = {
        "request_id": str(uuid4()),
        "kind": "equipment_broken",
        "words": "微波炉不热",
        "photo": SimpleUploadedFile("IMG.jpg", photo(), "image/jpeg"),
    }
    link = client.post(f"/places/{place.public_id}/report/", given)["Location"]
    kept = ReportPhoto.objects.with_scopes_disabled().get()
    assert client.get(f"{link}photos/{kept.public_id}/").status_code == 200
    assert "微波炉" not in client.get(f"/places/{place.public_id}/").content.decode()
    other = tell(place, "equipment_broken")
    assert Client().get(f"/r/{token_of(other)}/photos/{kept.public_id}/").status_code == 404
    assert "微波炉" not in Client().get(f"/r/{token_of(other)}/").content.decode()
    desk = Client()
    desk.force_login(post(tree.zhongyuan, Role.KEEPER).user)
    report = f"/desk/places/reports/{kept.report.public_id}/"
    assert "微波炉不热" in desk.get(report).content.decode()
    assert desk.get(f"{report}photos/{kept.public_id}/").status_code == 200
    neighbour = Client()
    neighbour.force_login(post(tree.jinshui).user)
    assert neighbour.get(report).status_code == 404
    assert neighbour.get(f"{report}photos/{kept.public_id}/").status_code == 404


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"kind": "door_locked"},
        {"kind": "door_locked", "request_id": "7"},
        {"kind": "x\x00", "request_id": str(uuid4())},
        {"kind": "other", "request_id": str(uuid4()), "words": ""},
    ],
)
def test_garbage_at_the_public_form_is_named_and_nothing_is_stored(
    client: Client, tree: UnionTree, make_place: PlaceMaker, given: dict[str, str]
) -> None:
    place = make_place(tree.zhongyuan)
    assert client.post(f"/places/{place.public_id}/report/", given).status_code == 422
    assert not Report.objects.with_scopes_disabled().exists()


def test_the_public_form_is_closed_where_the_place_is(
    client: Client, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    draft = make_place(tree.zhongyuan, publish=False)
    assert client.get(f"/places/{draft.public_id}/report/").status_code == 404
    closed = close_place(make_place(tree.zhongyuan), actor=post(tree.zhongyuan))
    assert client.get(f"/places/{closed.public_id}/report/").status_code == 302


def test_too_many_taps_are_told_so(client: Client, tree: UnionTree, make_place: PlaceMaker) -> None:
    place = make_place(tree.zhongyuan)
    answers = [
        client.post(f"/places/{place.public_id}/report/", {"request_id": str(uuid4()), "kind": "no_water"}).status_code
        for _n in range(PER_CLIENT_AND_PLACE + 1)
    ]
    assert answers[-2:] == [302, 429]


def test_a_wrong_secret_opens_nothing(client: Client, tree: UnionTree, make_place: PlaceMaker) -> None:
    token = token_of(tell(make_place(tree.zhongyuan)))
    assert client.get(f"/r/{token}/").status_code == 200
    for wrong in (token[:-1] + ("A" if token[-1] != "A" else "B"), "a", "x" * 300):
        for page in ("", "add/", "verdict/", "take-back/"):
            method = client.post if page else client.get
            assert method(f"/r/{wrong}/{page}").status_code == 404


def test_the_keeper_answers_at_the_desk_and_a_second_keeper_is_told(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    receipt = tell(make_place(tree.zhongyuan), at=MONDAY)
    address = f"/desk/places/reports/{receipt.report.public_id}/"
    one, two = Client(), Client()
    one.force_login(post(tree.zhongyuan, Role.KEEPER).user)
    two.force_login(post(tree.zhongyuan, Role.KEEPER).user)
    forms = [keeper.get(address).context["form"] for keeper in (one, two)]
    given = {"answer": "fixed", "words": "门已打开", "seen": forms[0].initial["seen"]}
    assert one.post(f"{address}answer/", {**given, "answer": "promised"}).status_code == 422
    assert one.post(f"{address}answer/", given).status_code == 302
    assert two.post(f"{address}answer/", {**given, "words": "乙"}).status_code == 409
    assert events(receipt) == ["reported", "fixed"]
    assert "门已打开" in Client().get(f"/r/{token_of(receipt)}/").content.decode()


def test_the_inbox_is_narrowed_counted_and_exported(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker, clock: time_machine.Traveller
) -> None:
    mine, other = make_place(tree.zhongyuan, name="=甲站"), make_place(tree.jinshui, name="邻居的站")
    tell(mine)
    fixed = tell(mine, "no_water", words="勿外传")
    answer(fixed, post(tree.zhongyuan, Role.KEEPER), words="=1+1")
    tell(other)
    clock.move_to(shanghai(2026, 11, 26))
    client = Client()
    client.force_login(post(tree.zhongyuan, Role.CADRE).user)

    def kinds(**query: str) -> list[str]:
        return [row["report"].kind for row in client.get("/desk/places/reports/", query).context["rows"]]

    assert kinds() == ["door_locked", "no_water"]
    assert kinds(waiting="verification") == ["no_water"]
    assert kinds(waiting="answer") == kinds(waiting="overdue") == ["door_locked"]
    assert kinds(waiting="nothing") == kinds(q="邻居") == []
    assert kinds(kind="no_water", union="中原") == ["no_water"]
    counts = client.get("/desk/places/reports/").context["counts"]
    assert [count for _value, _label, count in counts] == [1, 1, 1, 0]
    assert "邻居的站" not in client.get("/desk/places/reports/").content.decode()
    export = client.get("/desk/places/reports/export.csv")
    text = export.content.decode("utf-8-sig")
    assert export["X-Row-Count"] == "2"
    assert len(text.splitlines()) == 3
    assert "邻居" not in text
    assert "勿外传" not in text
    assert not any(cell.startswith("=") for line in text.splitlines() for cell in line.replace('"', "").split(","))
    sheet = load_workbook(BytesIO(client.get("/desk/places/reports/export.xlsx").content)).active
    assert sheet is not None
    assert sheet.max_row == 3
    assert client.get("/desk/places/reports/export.exe").status_code == 404


def test_the_inbox_takes_as_many_queries_for_many_reports_as_for_one(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    client = Client()
    client.force_login(post(tree.zhengzhou, Role.CADRE).user)
    tell(make_place(tree.zhongyuan))
    client.get("/desk/places/reports/")
    with CaptureQueriesContext(connection) as one:
        client.get("/desk/places/reports/")
    for _n in range(5):
        place = make_place(tree.jinshui)
        tell(place), tell(place, "no_water")
    with CaptureQueriesContext(connection) as many:
        client.get("/desk/places/reports/")
    assert len(many) == len(one)


def test_the_page_of_a_place_takes_as_many_queries_with_many_reports_as_with_one(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    tell(place)
    with CaptureQueriesContext(connection) as one:
        client.get(f"/places/{place.public_id}/")
    for kind in ("no_water", "wrong_place", "medicine_expired"):
        tell(place, kind)
    with CaptureQueriesContext(connection) as many:
        client.get(f"/places/{place.public_id}/")
    assert len(many) == len(one)


def test_an_administrator_sets_the_rules_on_the_page_and_a_keeper_cannot(tree: UnionTree, post: PostMaker) -> None:
    admin, keeper = Client(), Client()
    admin.force_login(post(tree.zhongyuan).user)
    keeper.force_login(post(tree.zhongyuan, Role.KEEPER).user)
    assert keeper.get("/desk/places/reports/rules/").status_code == 403
    assert admin.post("/desk/places/reports/rules/", {"days_door_locked": "999"}).status_code == 422
    assert admin.post("/desk/places/reports/rules/", {"days_door_locked": "2"}).status_code == 302
    assert rules_of(tree.zhongyuan).days_door_locked == 2
    assert admin.post("/desk/places/reports/rules/", {}).status_code == 302
    assert rules_of(Union.objects.get(pk=tree.zhongyuan.pk)) == Rules()


def test_a_receipt_takes_words_and_photos_later(
    client: Client, tree: UnionTree, make_place: PlaceMaker, settings: Any, tmp_path: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    receipt = tell(make_place(tree.zhongyuan), at=MONDAY)
    add = f"/r/{token_of(receipt)}/add/"
    assert client.post(add, {}).status_code == 422
    assert client.post(add, {"words": "锁了两天"}).status_code == 302
    for side in (640, 650, 660):
        assert client.post(add, {"photo": SimpleUploadedFile("a.jpg", photo((side, 480)))}).status_code == 302
    assert client.post(add, {"photo": SimpleUploadedFile("a.jpg", photo((670, 480)))}).status_code == 422
    assert ReportReceipt.objects.with_scopes_disabled().get().words == "锁了两天"
    assert isinstance(receipt.request_id, UUID)


# --- at once -----------------------------------------------------------------------------------------------------


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts in threads that start together; gives results or the errors they raised."""
    start = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            start.wait(10)
            results[place] = act()
        except Exception as error:  # noqa: BLE001 - it is the result
            results[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "they wait for one another"
    return results


@pytest.mark.django_db(transaction=True)
def test_one_request_sent_many_times_at_once_counts_once(
    transactional_db: None, tree: UnionTree, make_place: PlaceMaker
) -> None:
    place, request_id = make_place(tree.zhongyuan), uuid4()
    receipts = at_once(*[lambda: tell(place, request_id=request_id)] * 4)
    assert len({receipt.pk for receipt in receipts}) == 1
    assert events(receipts[0]) == ["reported"]


@pytest.mark.django_db(transaction=True)
def test_many_people_at_once_make_one_report_with_a_receipt_each(
    transactional_db: None, tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    receipts = at_once(*[lambda: tell(place)] * 5)
    assert len({receipt.pk for receipt in receipts}) == 5
    assert Report.objects.with_scopes_disabled().count() == 1
    assert events(receipts[0]) == ["reported"] * 5


@pytest.mark.django_db(transaction=True)
def test_the_same_request_about_two_places_at_once_counts_once(
    transactional_db: None, tree: UnionTree, make_place: PlaceMaker
) -> None:
    one, two, request_id = make_place(tree.zhongyuan), make_place(tree.zhongyuan), uuid4()
    receipts = at_once(lambda: tell(one, request_id=request_id), lambda: tell(two, request_id=request_id))
    assert receipts[0].pk == receipts[1].pk
    assert Report.objects.with_scopes_disabled().count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_keepers_who_answer_at_once_one_is_told_that_it_was_answered(
    transactional_db: None, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    receipt = tell(make_place(tree.zhongyuan))
    one, two = post(tree.zhongyuan, Role.KEEPER), post(tree.zhongyuan, Role.KEEPER)
    results = at_once(
        lambda: answer(receipt, one, seen=1), lambda: answer(receipt, two, "not_a_fault", words="没锁", seen=1)
    )
    assert sorted(type(result).__name__ for result in results) == ["Report", "RuleBroken"]
    assert len(events(receipt)) == 2


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_tell_of_a_deadline_once(
    transactional_db: None, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    keeper = post(tree.zhongyuan, Role.KEEPER)
    receipt = tell(make_place(tree.zhongyuan))
    late = shanghai(2026, 11, 25, 1)
    assert sorted(at_once(*[lambda: watch_deadlines(at=late)] * 3)) == [0, 0, 1]
    assert events(receipt) == ["reported", "reminded"]
    assert InboxMessage.objects.with_scopes_disabled().filter(post=keeper).count() == 2


def test_sample_reports_come_the_same_twice_and_show_every_state(
    tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    for _n in range(8):
        make_place(tree.zhongyuan)
    keeper = post(tree.zhengzhou)
    assert make_sample_reports(tree.zhengzhou, keeper=keeper, seed=1) == 10
    states = set(Report.objects.with_scopes_disabled().values_list("state", flat=True))
    assert states == {"open", "promised", "not_a_fault", "settled", "withdrawn"}
    assert StarChange.objects.with_scopes_disabled().count() == 1


# --- over HTTP for programs --------------------------------------------------------------------------------------


def test_a_program_reports_reads_the_answer_and_judges_it(
    client: Client, tree: UnionTree, post: PostMaker, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    told = {"request_id": str(uuid4()), "kind": "no_water"}
    address = f"/api/places/{place.public_id}/reports"
    first = client.post(address, told, content_type="application/json")
    again = client.post(address, told, content_type="application/json")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (first.json()["state"], first.json()["answer_due"]) == ("open", "2026-11-24")
    answer(ReportReceipt.objects.with_scopes_disabled().get(), post(tree.zhongyuan, Role.KEEPER))
    mine = f"/api/reports/{first.json()['token']}"
    assert [one["words"] for one in client.get(mine).json()["answers"]] == ["换了新锁"]
    judged = client.post(f"{mine}/verdict", {"verdict": "not_fixed"}, content_type="application/json")
    assert judged.json()["state"] == "open"
    assert client.get("/api/reports/nobody").status_code == 404
    draft = make_place(tree.zhongyuan, publish=False)
    assert (
        client.post(f"/api/places/{draft.public_id}/reports", told, content_type="application/json").status_code == 404
    )


def test_a_program_that_reports_too_often_or_wrongly_gets_a_problem_document(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    address = f"/api/places/{place.public_id}/reports"

    def tap(**changes: str) -> Any:
        told = {"request_id": str(uuid4()), "kind": "no_water", **changes}
        return client.post(address, told, content_type="application/json")

    assert tap(kind="other").json()["errors"][0]["field"] == "words"
    assert tap(kind="meteor").status_code == 422
    assert tap(request_id="7").status_code == 422
    assert [tap().status_code for _n in range(PER_CLIENT_AND_PLACE + 1)][-2:] == [201, 429]


def test_a_photo_comes_through_the_api_once_however_often_it_is_sent(
    client: Client, tree: UnionTree, make_place: PlaceMaker
) -> None:
    place = make_place(tree.zhongyuan)
    told = {"request_id": str(uuid4()), "kind": "door_locked"}
    receipt = client.post(f"/api/places/{place.public_id}/reports", told, content_type="application/json").json()
    address = f"/api/reports/{receipt['token']}/photos"
    for _n in range(3):
        answer = client.post(address, {"photo": SimpleUploadedFile("a.jpg", photo(), "image/jpeg")})
        assert answer.status_code == 201, answer.content
    (shown,) = answer.json()["photos"]
    assert client.get(shown)["Content-Type"] == "image/jpeg"
    kept = ReportPhoto.objects.with_scopes_disabled().get()
    assert b"SecretPhone" not in kept.file.read()
    broken = client.post(address, {"photo": SimpleUploadedFile("a.jpg", b"<svg/>", "image/jpeg")})
    assert broken.status_code == 422
    assert client.post("/api/reports/nobody/photos", {"photo": SimpleUploadedFile("a.jpg", photo())}).status_code == 404
    assert ReportPhoto.objects.with_scopes_disabled().count() == 1
