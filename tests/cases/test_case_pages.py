"""Cases in the browser's eyes: the desk's pages, the worker's pages, what is refused and how it is said."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook, load_workbook
from PIL import Image
from pytest_django import DjangoAssertNumQueries

from tests.cases.case_makers import make_case
from tests.conftest import PostMaker, UnionTree, WorkerMaker
from tests.places.conftest import PlaceMaker
from yizhan.cases.models import Case, CaseFile, CaseState, IntakeCode, SavedFilter
from yizhan.cases.services.digest import send_digests
from yizhan.cases.services.kinds import set_digest
from yizhan.cases.services.steps import accept_case, propose_result
from yizhan.cases.services.verdict import confirm_result
from yizhan.places.services.reports import report_fault
from yizhan.unions.models import AuditEntry, Staff, User, Worker
from yizhan.unions.rights import Role


def browser(person: Staff | Worker | None) -> Client:
    client = Client(raise_request_exception=True)
    if person is not None:
        client.force_login(person.user)
    return client


def step(client: Client, case: Case, name: str, **told: Any) -> Any:
    values = {f"{name}-{key}": value for key, value in {"seen": case.version, **told}.items()}
    return client.post(reverse("cases:take", args=[case.public_id, name]), values)


def fresh(case: Case) -> Case:
    found: Case = Case.objects.with_scopes_disabled().get(pk=case.pk)
    return found


def picture() -> SimpleUploadedFile:
    content = io.BytesIO()
    Image.new("RGB", (200, 160), "red").save(content, "JPEG")
    return SimpleUploadedFile("现场.jpg", content.getvalue(), "image/jpeg")


@pytest.fixture
def make_place(post: PostMaker) -> PlaceMaker:
    return PlaceMaker(post)


def test_every_page_of_the_desk_opens_empty_and_filled(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    boss = post(tree.zhongyuan)
    client = browser(boss)
    pages = ["cases", "enter", "hotline", "import", "problems", "kinds", "intake", "digest", "results", "new"]
    for filled in (False, True):
        if filled:
            case = make_case(tree.zhongyuan, worker=worker(tree.zhongyuan))
            make_case(tree.zhongyuan, kind="rights", title="拖欠工资", actor=boss)
            assert client.get(case.get_absolute_url()).status_code == 200
            assert client.get(reverse("cases:print", args=[case.public_id])).status_code == 200
        for name in pages:
            response = client.get(reverse(f"cases:{name}"))
            assert response.status_code == 200, name
    for code in ("need", "rights"):
        assert client.get(reverse("cases:kind", args=[code])).status_code == 200


def test_a_case_is_led_through_by_buttons(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    boss, rider = post(tree.zhongyuan), worker(tree.zhongyuan)
    case = make_case(tree.zhongyuan, worker=rider)
    client = browser(boss)
    assert step(client, case, "assign", handler=boss.public_id, words="请跟进").status_code == 302
    assert step(client, fresh(case), "progress", words="已联系物业").status_code == 302
    assert step(client, fresh(case), "propose", words="已装好", photo=picture()).status_code == 302
    track = browser(rider).get(reverse("cases:own", args=[case.public_id]))
    assert "已装好" in track.content.decode()
    kept = CaseFile.objects.with_scopes_disabled().get(case=case)
    shown = browser(rider).get(reverse("cases:own_file", args=[case.public_id, kept.public_id]))
    assert shown["Content-Type"] == "image/jpeg"
    verdict = reverse("cases:own_step", args=[case.public_id, "verdict"])
    assert browser(rider).post(verdict, {"stars": "5", "words": "好"}).status_code == 302
    assert fresh(case).state == CaseState.CLOSED
    assert step(client, fresh(case), "publish", title="加装充电口", words="已为骑手加装四个充电口").status_code == 302
    public = Client().get(reverse("cases:results")).content.decode()
    assert "已为骑手加装四个充电口" in public
    assert rider.user.name not in public


def test_the_second_of_two_cadres_sees_what_the_first_did_and_keeps_what_was_typed(
    tree: UnionTree, post: PostMaker
) -> None:
    first, second = post(tree.zhongyuan, Role.CADRE, name="王芳"), post(tree.zhongyuan, Role.CADRE)
    case = make_case(tree.zhongyuan, actor=first)
    accept_case(case, actor=first, words="马上办")
    response = step(browser(second), case, "refuse", words="我写的理由")
    page = response.content.decode()
    assert response.status_code == 409
    assert "王芳" in page
    assert "马上办" in page
    assert fresh(case).state == CaseState.ACCEPTED
    kept = step(browser(second), case, "note", words="我写的备注")
    assert kept.status_code == 409
    assert "我写的备注" in kept.content.decode()


def test_a_list_page_takes_few_queries_whatever_its_length(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    boss = post(tree.zhengzhou)
    for _turn in range(12):
        make_case(tree.zhongyuan, worker=worker(tree.zhongyuan))
    post(tree.zhongyuan)
    client = browser(boss)
    client.get(reverse("cases:cases"))
    with django_assert_max_num_queries(12) as captured:
        assert client.get(reverse("cases:cases"), {"q": "充电"}).content.decode().count("data-row") == 12
    ours = [query for query in captured.captured_queries if '"cases_case"' in query["sql"]]
    assert len(ours) <= 5


def test_pages_follow_one_another_without_gap_or_repetition(tree: UnionTree, post: PostMaker) -> None:
    from yizhan.cases.queries.desk import page_of
    from yizhan.cases.queries.visible import visible_cases

    boss = post(tree.zhongyuan)
    moment = timezone.now() - timedelta(hours=1)
    made = {make_case(tree.zhongyuan, actor=boss, at=moment).pk for _turn in range(7)}
    for order in ("due", "newest"):
        seen: list[int] = []
        after = ""
        while True:
            page = page_of(visible_cases(boss), order=order, after=after, size=3)  # type: ignore[arg-type]
            seen += [case.pk for case in page.cases]
            after = page.after
            if not after:
                break
        assert len(seen) == 7
        assert set(seen) == made
    with pytest.raises(ValueError):
        page_of(visible_cases(boss), after="rubbish")
    assert browser(boss).get(reverse("cases:cases"), {"after": "rubbish"}).status_code == 404


def test_chinese_is_found_by_words_and_not_by_chance(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    boss, rider = post(tree.zhongyuan), worker(tree.zhongyuan)
    make_case(tree.zhongyuan, worker=rider, title="拖欠工资", text="平台拖欠工资三个月")
    make_case(tree.zhongyuan, actor=boss, title="加装充电柜", text="小区门口")
    client = browser(boss)

    def found(text: str) -> int:
        return client.get(reverse("cases:cases"), {"q": text}).content.decode().count("data-row")

    wanted = {"工资": 1, "拖欠工资": 1, "充电": 1, "充电柜 小区": 1, "资三": 0, "'; & | !": 0}
    assert {text: found(text) for text in wanted} == wanted
    assert found(rider.user.phone or "") == 1
    number = Case.objects.with_scopes_disabled().values_list("number", flat=True).first()
    assert found(str(number)) == 1


def test_exports_hold_what_the_list_shows(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> None:
    boss, reader = post(tree.zhongyuan), post(tree.zhengzhou, Role.READER)
    make_case(tree.zhongyuan, worker=worker(tree.zhongyuan), title="=1+1")
    make_case(tree.zhongyuan, kind="rights", title="欠薪秘密", actor=boss)
    for person, count in ((boss, 2), (reader, 1)):
        response = browser(person).get(reverse("cases:export", args=["csv"]))
        text = response.content.decode("utf-8-sig")
        assert response["X-Row-Count"] == str(count)
        assert ("欠薪秘密" in text) is (person is boss)
        assert "'=1+1" in text
    sheet = load_workbook(io.BytesIO(browser(boss).get(reverse("cases:export", args=["xlsx"])).content)).active
    assert sheet is not None
    assert sheet.max_row == 3


def test_many_at_once_tell_which_could_not(tree: UnionTree, post: PostMaker) -> None:
    boss = post(tree.zhongyuan)
    open_case, closed = make_case(tree.zhongyuan, actor=boss), make_case(tree.zhongyuan, actor=boss)
    accept_case(closed, actor=boss)
    told = {"step": "accept", "case": [str(open_case.public_id), str(closed.public_id), "rubbish"], "query": ""}
    page = browser(boss).post(reverse("cases:bulk"), told).content.decode()
    assert closed.number in page
    assert fresh(open_case).state == CaseState.ACCEPTED


def test_filters_are_kept_for_oneself(tree: UnionTree, post: PostMaker) -> None:
    boss, other = post(tree.zhongyuan), post(tree.zhongyuan)
    client = browser(boss)
    client.post(reverse("cases:keep_filter"), {"name": "逾期维权", "query": "waiting=overdue&kind=rights"})
    kept = SavedFilter.objects.with_scopes_disabled().get()
    assert "逾期维权" in client.get(reverse("cases:cases")).content.decode()
    assert browser(other).post(reverse("cases:drop_filter", args=[kept.public_id])).status_code == 404
    assert client.post(reverse("cases:drop_filter", args=[kept.public_id])).status_code == 302


def test_a_worker_brings_something_by_qr_code_and_a_stranger_only_a_suggestion(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    boss, rider = post(tree.zhongyuan), worker()
    browser(boss).post(reverse("cases:make_code"))
    code = IntakeCode.objects.with_scopes_disabled().get()
    for form in ("pdf", "svg"):
        assert browser(boss).get(reverse(f"cases:code_{form}", args=[code.public_id])).status_code == 200
    assert Client().get(reverse("cases:at_code", args=[code.code])).status_code == 302
    assert Client().get(reverse("cases:at_code", args=["nocode"])).status_code == 404
    address = f"{reverse('cases:new_of_kind', args=['need'])}?at={code.code}"
    assert "login" in Client().get(address)["Location"]
    told = {"text": "没有热水", "request_id": str(uuid4()), "f_about": "rest", "photo": picture()}
    made = browser(rider).post(address, told)
    assert made.status_code == 302
    case = Case.objects.with_scopes_disabled().get(worker=rider)
    assert (case.union, case.source, case.fields) == (tree.zhongyuan, "qr", {"about": "rest"})
    assert "没有热水" in browser(rider).get(reverse("cases:mine")).content.decode()
    suggestion = f"{reverse('cases:new_of_kind', args=['suggestion'])}?at={code.code}"
    told = {"text": "多放些凳子", "request_id": str(uuid4())}
    links = {Client().post(suggestion, told)["Location"] for _turn in range(2)}
    assert len(links) == 1  # sent twice, one case, one link
    assert "多放些凳子" in Client().get(links.pop()).content.decode()
    assert Client().get(reverse("cases:by_token", args=["a" * 22])).status_code == 404


def test_a_cadre_takes_down_for_someone_whose_number_is_known(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    boss, rider = post(tree.zhongyuan), worker(tree.zhongyuan)
    client = browser(boss)
    told = {"text": "想要体检", "contact_phone": (rider.user.phone or "")[3:], "request_id": str(uuid4())}
    assert client.post(f"{reverse('cases:enter')}?kind=need", told).status_code == 302
    assert Case.objects.with_scopes_disabled().get().worker == rider
    wrong = client.post(reverse("cases:enter"), {"text": "甲", "contact_phone": "12", "request_id": str(uuid4())})
    assert wrong.status_code == 422
    unknown = client.post(reverse("cases:enter"), {"text": "甲", "union": "没有的工会", "request_id": str(uuid4())})
    assert unknown.status_code == 422


def test_a_list_comes_in_row_by_row_and_its_bad_rows_come_back(tree: UnionTree, post: PostMaker) -> None:
    boss = post(tree.zhongyuan)
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (
        ("编号", "类别", "内容", "姓名", "电话", "时间", "工会"),
        ("1", "诉求", "没有停车位", "赵一", "13900139000", "2026-03-02", ""),
        ("2", "不存在", "内容", "", "", "", ""),
        ("3", "诉求", "", "", "", "", ""),
        ("4", "诉求", "=HYPERLINK(1)", "", "", "", ""),
        ("5", "诉求", "电话不对", "", "123", "", ""),
        ("6", "诉求", "别人的", "", "", "", "金水区总工会"),
        ("7", "建议", "日期不对", "", "", "去年", ""),
    ):
        sheet.append(line)
    content = io.BytesIO()
    book.save(content)

    def send(**more: Any) -> Any:
        upload = SimpleUploadedFile("名单.xlsx", content.getvalue())
        return browser(boss).post(reverse("cases:import"), {"file": upload, "kind": "need", **more})

    assert send().status_code == 200
    case = Case.objects.with_scopes_disabled().get()
    assert (case.text, case.source, case.contact_phone) == ("没有停车位", "import", "+8613900139000")
    back = load_workbook(io.BytesIO(send(back="on").content)).active
    assert back is not None
    assert back.max_row == 7
    assert Case.objects.with_scopes_disabled().count() == 1


def test_a_report_becomes_a_case_once(tree: UnionTree, post: PostMaker, make_place: PlaceMaker) -> None:
    boss = post(tree.zhongyuan)
    receipt = report_fault(make_place(tree.zhongyuan), kind="no_water", request_id=uuid4(), words="水壶空了")
    address = reverse("cases:from_report", args=[receipt.report.public_id])
    first, again = browser(boss).post(address), browser(boss).post(address)
    assert first["Location"] == again["Location"]
    case = Case.objects.with_scopes_disabled().get()
    assert (case.kind, case.report_id, case.text) == ("station_fault", receipt.report_id, "水壶空了")
    assert browser(post(tree.jinshui)).post(address).status_code == 404


def test_files_are_looked_at_and_confidential_ones_lie_encrypted(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    boss, rider = post(tree.zhongyuan), worker(tree.zhongyuan)
    address = reverse("cases:new_of_kind", args=["rights"])
    pdf = b"%PDF-1.4 secret contract"
    told = {"text": "欠薪", "f_about": "wages", "request_id": str(uuid4())}
    bad = browser(rider).post(address, {**told, "photo": SimpleUploadedFile("病毒.exe", b"MZ123")})
    assert bad.status_code == 422
    good = browser(rider).post(address, {**told, "photo": SimpleUploadedFile("合同.pdf", pdf)})
    assert good.status_code == 302
    kept = CaseFile.objects.with_scopes_disabled().get()
    with kept.file.open("rb") as stored:
        assert b"secret" not in stored.read()
    opened = browser(boss).get(reverse("cases:file", args=[kept.case.public_id, kept.public_id]))
    assert opened.content == pdf
    assert opened["Content-Disposition"].startswith("attachment")
    assert AuditEntry.objects.with_scopes_disabled().filter(action="cases.file_opened").count() == 1


def test_the_daily_mail_tells_once_a_day_and_nothing_confidential(
    tree: UnionTree, post: PostMaker, settings: Any
) -> None:
    boss = post(tree.zhongyuan)
    week = timezone.now() - timedelta(days=21)
    make_case(tree.zhongyuan, actor=boss, title="热水", at=week)
    make_case(tree.zhongyuan, actor=boss, kind="rights", title="欠薪秘密", at=week)
    set_digest(boss, "boss@example.org")
    day = timezone.localdate().replace(year=2026, month=11, day=24)
    assert [send_digests(day=day), send_digests(day=day)] == [1, 0]
    assert "热水" in mail.outbox[0].body
    assert "欠薪秘密" not in mail.outbox[0].body
    assert send_digests(day=day.replace(day=28)) == 0  # a Saturday


def test_what_is_published_names_nobody_and_small_figures_stay_hidden(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    boss, rider = post(tree.zhongyuan), worker(tree.zhongyuan, name="李小明")
    case = make_case(tree.zhongyuan, worker=rider)
    accept_case(case, actor=boss)
    propose_result(case, actor=boss, words="好了")
    confirm_result(case, stars=5)
    for words in ("为李小明解决", "致电13800138000"):
        assert step(browser(boss), fresh(case), "publish", title="成效", words=words).status_code == 422
    page = Client().get(reverse("cases:results")).content.decode()
    assert "不足 5" in page
    assert User.objects.filter(name="李小明").exists()


def test_the_worker_is_told_by_text_message_and_nothing_of_the_case_stands_in_it(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker, caplog: pytest.LogCaptureFixture
) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    from yizhan.cases.services.text_messages import text_worker

    boss = post(tree.zhongyuan)
    case = make_case(tree.zhongyuan, worker=worker(tree.zhongyuan), kind="rights", title="欠薪秘密")
    accept_case(case, actor=boss)
    job = ProcrastinateJob.objects.get(task_name="yizhan.cases.tasks.text_worker")
    assert job.args == {"case_id": case.pk, "kind": "accepted"}
    assert text_worker(case.pk, "accepted")
    assert not text_worker(make_case(tree.zhongyuan, actor=boss).pk, "accepted")  # nobody left a number
    assert "欠薪秘密" not in caplog.text
