"""The task ledger: passing down, rolling up, its sheet, and the import of what offices keep."""

from __future__ import annotations

from datetime import date, timedelta
from io import BytesIO
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_scopes import scope
from openpyxl import Workbook, load_workbook

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from yizhan.cases.ledger import queries
from yizhan.cases.ledger.sheet import HEADERS, workbook_of
from yizhan.cases.models import Milestone, Project, Task, TaskPass, TaskState
from yizhan.cases.services import ledger as services
from yizhan.cases.services import task_passes
from yizhan.cases.services.ledger import TaskFacts
from yizhan.cases.services.ledger_import import import_tasks
from yizhan.cases.services.visits import save_visit
from yizhan.cases.visits.facts import VisitFacts
from yizhan.unions.errors import RuleBroken
from yizhan.unions.models import Staff
from yizhan.unions.rights import NotAllowed, Role

DUE = date(2026, 12, 31)
STEPS = "摸底(2026-06-30)；总结(2026-12-20)"


def codes(broken: pytest.ExceptionInfo[RuleBroken]) -> set[str]:
    return {problem.code for problem in broken.value.problems}


def project_of(actor: Staff) -> Project:
    return services.make_project(actor=actor, union=actor.union, name="三走进", lists=("问题清单",))


def task_of(actor: Staff, project: Project | None = None, **told: object) -> Task:
    project = project or project_of(actor)
    facts = TaskFacts(**{"title": "走访小哥", "deadline": DUE, **told})  # type: ignore[arg-type]
    return services.make_task(actor=actor, task_list=project.lists(manager="_base_manager").get(), facts=facts)


def accepted(giver: Staff, receiver: Staff, task: Task, **part: object) -> Task:
    (offer,) = task_passes.pass_down(actor=giver, task=task, unions=[receiver.union], **part)  # type: ignore[arg-type]
    return task_passes.accept_task(actor=receiver, offer=offer, responsible=receiver)


def test_a_task_passes_down_four_levels_each_owns_its_part_only_once_it_accepts(
    tree: UnionTree, post: PostMaker
) -> None:
    province, city, district, street = (
        post(union) for union in (tree.henan, tree.zhengzhou, tree.zhongyuan, tree.shifo)
    )
    task = task_of(province, target=100, unit="人")
    (offer,) = task_passes.pass_down(actor=province, task=task, unions=[tree.zhengzhou], target=60)
    assert not task_passes.pass_down(actor=province, task=task, unions=[tree.zhengzhou]), "offered already"
    assert Task.objects.with_scopes_disabled().count() == 1
    for stranger in (post(tree.shenzhen), district):
        with pytest.raises(NotAllowed):
            task_passes.accept_task(actor=stranger, offer=offer)
    with pytest.raises(RuleBroken) as broken:
        task_passes.accept_task(actor=province, offer=offer)
    assert codes(broken) == {"own_offer"}
    second = task_passes.accept_task(actor=city, offer=offer, responsible=city)
    with pytest.raises(RuleBroken) as broken:
        task_passes.refuse_task(actor=city, offer=offer, answer="x")
    assert codes(broken) == {"answered"}
    third = accepted(city, district, second, target=30)
    fourth = accepted(district, street, third, target=10)
    with pytest.raises(RuleBroken) as broken:
        task_passes.pass_down(actor=street, task=fourth, unions=[tree.shifo])
    assert "lowest" in codes(broken)
    services.tell_progress(actor=street, task=fourth, done_count=8)
    with pytest.raises(RuleBroken) as broken:
        services.tell_progress(actor=province, task=task, done_count=100)
    assert codes(broken) == {"rolls_up"}
    with scope(union=tree.henan.path):
        rows = queries.tree(task.list.project, for_staff=province).rows
    assert [(row.number, row.progress.percent, row.done_of_target) for row in rows] == [
        ("1", 8, "8 / 100 人"),
        ("1.1", 13, "8 / 60 人"),
        ("1.1.1", 26, "8 / 30 人"),
        ("1.1.1.1", 80, "8 / 10 人"),
    ]
    with scope(union=tree.zhongyuan.path):
        mine = queries.tree(task.list.project, for_staff=district)
    assert [row.task.pk for row in mine.rows] == [third.pk, fourth.pk], "what is above stays above"
    assert (mine.summary.leaves, mine.summary.percent) == (1, 26)


def test_refused_and_withdrawn_offers_leave_the_task_where_it_was(tree: UnionTree, post: PostMaker) -> None:
    city, district = post(tree.zhengzhou), post(tree.zhongyuan)
    task = task_of(city)
    offers = task_passes.pass_down(actor=city, task=task, unions=[tree.zhongyuan, tree.jinshui])
    with pytest.raises(RuleBroken):
        task_passes.refuse_task(actor=district, offer=offers[0], answer="")
    task_passes.refuse_task(actor=district, offer=offers[0], answer="人手不够")
    task_passes.withdraw_task(actor=city, offer=offers[1])
    with pytest.raises(RuleBroken):
        task_passes.accept_task(actor=post(tree.jinshui), offer=offers[1])
    assert Task.objects.with_scopes_disabled().count() == 1
    assert task_passes.pass_down(actor=city, task=task, unions=[tree.zhongyuan]), "may be offered again"
    wrong = [[tree.zhengzhou], [tree.shenzhen], []]
    for unions in wrong:
        with pytest.raises(RuleBroken):
            task_passes.pass_down(actor=city, task=task, unions=unions)
    with pytest.raises(RuleBroken) as broken:
        task_passes.pass_down(actor=city, task=task, unions=[tree.shifo], deadline=DUE + timedelta(days=1))
    assert codes(broken) == {"late"}
    services.tell_progress(actor=city, task=task, state=TaskState.CANCELLED, words="并入另一项")
    assert not TaskPass.objects.with_scopes_disabled().filter(state="pending").exists()


def test_two_cadres_who_change_one_task_at_once_do_not_overwrite_each_other(tree: UnionTree, post: PostMaker) -> None:
    one, other = post(tree.zhengzhou), post(tree.zhengzhou, Role.CADRE)
    task = task_of(one)
    seen = task.revision
    services.change_task(actor=one, task=task, facts=TaskFacts(title="走访骑手"), seen=seen)
    with pytest.raises(RuleBroken) as broken:
        services.change_task(actor=other, task=task, facts=TaskFacts(title="走访司机"), seen=seen)
    assert codes(broken) == {"changed_meanwhile"}
    for stranger in (post(tree.shenzhen), post(tree.zhongyuan), post(tree.zhengzhou, Role.READER)):
        with pytest.raises(NotAllowed):
            services.tell_progress(actor=stranger, task=task, percent=100)


def test_one_visit_that_proves_two_parts_counts_once_above(
    tree: UnionTree, post: PostMaker, worker: WorkerMaker
) -> None:
    city, district = post(tree.zhengzhou), post(tree.zhongyuan)
    project = project_of(city)
    tasks = [accepted(city, district, task_of(city, project, title=title)) for title in ("走访", "服务")]
    visit = save_visit(
        actor=district,
        client_id=uuid4(),
        request_id=uuid4(),
        base=0,
        facts=VisitFacts(kind="home", at=timezone.now(), where="家里", people=[worker(tree.shifo).public_id]),
    ).visit
    for task in tasks:
        for _ in range(2):
            services.add_evidence(actor=district, task=task, title="", visit=visit)
    with scope(union=tree.zhengzhou.path):
        summary = queries.tree(project, for_staff=city).summary
    assert (summary.visits, summary.people, summary.leaves) == (1, 1, 2)
    beside = save_visit(
        actor=post(tree.jinshui),
        client_id=uuid4(),
        request_id=uuid4(),
        base=0,
        facts=VisitFacts(kind="home", at=timezone.now(), where="别区"),
    ).visit
    with pytest.raises(RuleBroken):
        services.add_evidence(actor=district, task=tasks[0], title="x", visit=beside)


def test_the_sheet_has_the_columns_of_the_field_and_never_a_formula(tree: UnionTree, post: PostMaker) -> None:
    city, district = post(tree.zhengzhou, name="张敏"), post(tree.zhongyuan, name="李建国")
    task = task_of(city, title="=HYPERLINK(“x”)", responsible=city, measure="满意度 95%")
    accepted(city, district, task)
    services.add_milestone(actor=city, task=task, title="摸底", due_on=date(2026, 6, 30))
    with scope(union=tree.zhengzhou.path):
        tree_of = queries.tree(task.list.project, for_staff=city)
        content = workbook_of(tree_of, union_name=tree.zhengzhou.name)
    sheet = load_workbook(BytesIO(content)).active
    assert sheet["A1"].value == "三走进任务分解台账"
    assert "郑州市总工会" in sheet["A2"].value
    assert tuple(cell.value for cell in sheet[3]) == HEADERS
    first, part = ([cell.value for cell in sheet[number]] for number in (4, 5))
    assert first[:6] == ["1", "问题清单", "=HYPERLINK(“x”)", "满意度 95%", "郑州市总工会", "张敏"]
    assert part[0] == "1.1"
    assert part[4:6] == ["中原区总工会", "李建国"]
    assert first[13] == "摸底(2026-06-30)"
    assert {cell.data_type for row in sheet.iter_rows(min_row=3, max_row=5) for cell in row} <= {"s", "n", "inlineStr"}
    assert sheet.max_row == 5
    assert sheet.print_title_rows == "$3:$3"
    assert sheet.page_setup.orientation == "landscape"


def office_sheet(*rows: list[object]) -> bytes:
    book = Workbook()
    sheet = book.active
    sheet.append(["2026年“三走进”任务分解台账"])
    sheet.append([])
    sheet.append(["序号", "工作任务", "责任单位", "责任人", "完成时限", "目标数", "计量单位", "进展情况", "时间节点"])
    for row in rows:
        sheet.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def test_an_offices_sheet_is_read_with_its_title_and_bad_rows_come_back_with_reasons(
    tree: UnionTree, post: PostMaker
) -> None:
    city = post(tree.zhengzhou, name="张敏")
    project = project_of(city)
    content = office_sheet(
        [
            1,
            "走访小哥",
            "郑州市",
            "张敏",
            date(2026, 12, 31),
            2970,
            "人次",
            "已启动",
            "摸底(2026-06-30)；总结(2026-12-20)",
        ],
        [2, "建群", "中原区总工会、金水区总工会", "王五", "2026年11月", None, None, None, None],
        [3, "", None, None, None, None, None, None, None],
        [4, "第四项", "深圳市总工会", None, None, None, None, None, None],
        [5, "第五项", None, None, "年底前", None, None, None, None],
        [6, "第六项", None, None, None, "很多", None, None, None],
        ["2.1", "分解出去的", "中原区总工会", None, None, None, None, None, None],
    )
    for dry_run in (True, False):
        report = import_tasks(actor=city, project=project, content=content, file_name="台账.xlsx", dry_run=dry_run)
        assert [row.outcome for row in report.rows] == ["added"] * 2 + ["refused"] * 4 + ["skipped"]
        assert all(row.reasons for row in report.rows[2:])
        assert Task.objects.with_scopes_disabled().count() == (0 if dry_run else 2)
    first, second = Task.objects.with_scopes_disabled().order_by("number")
    assert (first.target, first.unit, first.deadline, first.responsible) == (2970, "人次", DUE, city)
    assert Milestone.objects.with_scopes_disabled().filter(task=first).count() == 2
    assert (second.deadline, second.responsible) == (date(2026, 11, 30), None)
    assert "王五" in second.note
    assert TaskPass.objects.with_scopes_disabled().filter(task=second, state="pending").count() == 2
    again = import_tasks(actor=city, project=project, content=content, file_name="台账.xlsx")
    assert [row.outcome for row in again.rows[:2]] == ["same", "same"]
    with pytest.raises(NotAllowed):
        import_tasks(actor=post(tree.zhongyuan), project=project, content=content, file_name="x")
    for junk in (b"", b"PK\x03\x04junk", "编号,内容\n1,2\n".encode()):
        with pytest.raises(RuleBroken):
            import_tasks(actor=city, project=project, content=junk, file_name="x")


def test_our_own_sheet_comes_back_unchanged(tree: UnionTree, post: PostMaker) -> None:
    city = post(tree.zhengzhou, name="张敏")
    task = task_of(city, target=30, unit="户", responsible=city)
    services.tell_progress(actor=city, task=task, done_count=12, words="完成 12 户")
    services.add_milestone(actor=city, task=task, title="摸底", due_on=date(2026, 6, 30))
    with scope(union=tree.zhengzhou.path):
        content = workbook_of(queries.tree(task.list.project, for_staff=city), union_name="x")
        report = import_tasks(actor=city, project=task.list.project, content=content, file_name="x.xlsx")
    assert [(row.outcome, row.reasons) for row in report.rows] == [("same", [])]


def test_the_ledgers_pages_open_and_ask_as_much_for_many_tasks_as_for_few(tree: UnionTree, post: PostMaker) -> None:
    city, district = post(tree.zhengzhou), post(tree.zhongyuan)
    project = project_of(city)
    task = task_of(city, project)
    part = accepted(city, district, task)
    client, below = Client(), Client()
    client.force_login(city.user)
    below.force_login(district.user)
    pages = ("", "print/", "ledger.xlsx", "form.xlsx", "import/", "tasks/")
    addresses = [*(f"{project.get_absolute_url()}{page}" for page in pages), task.get_absolute_url(), "/desk/ledger/"]
    for address in addresses:
        assert client.get(address).status_code == 200, address
    assert below.get(part.get_absolute_url()).status_code == 200
    assert below.get(task.get_absolute_url()).status_code == 404
    assert below.get(project.get_absolute_url()).status_code == 200

    def asked() -> dict[str, int]:
        found = {}
        for address in addresses:
            with CaptureQueriesContext(connection) as asked_here:
                client.get(address)
            found[address] = len(asked_here)
        return found

    few = asked()
    for number in range(4):
        other = accepted(city, district, task_of(city, project, title=f"第{number}项"))
        services.add_milestone(actor=district, task=other, title="摸底", due_on=DUE)
        services.add_evidence(actor=district, task=other, title="简报")
    assert asked() == few
    sent = {"title": "", "weight": "1"}
    assert client.post(f"{project.get_absolute_url()}tasks/", sent).status_code == 422
    file = BytesIO(office_sheet([1, "新的一项", None, None, None, None, None, None, None]))
    file.name = "台账.xlsx"
    preview = client.post(f"{project.get_absolute_url()}import/", {"file": file})
    assert not Task.objects.with_scopes_disabled().filter(title="新的一项").exists()
    token = preview.context["token"]
    client.post(f"{project.get_absolute_url()}import/", {"token": token})
    assert Task.objects.with_scopes_disabled().filter(title="新的一项").exists()
