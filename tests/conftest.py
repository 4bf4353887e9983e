"""What all tests share: a small union tree with people at its nodes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

import hypothesis
import pytest
from django.db import connection
from django.utils import translation
from pytest_django import DjangoDbBlocker, Settings

from yizhan.unions.models import Level, Staff, Union, User, Worker
from yizhan.unions.rights import Role

# The same code gets the same verdict: what is drawn at random is drawn alike in each run. Whoever hunts for faults adds
# `--hypothesis-profile=explore`, which looks elsewhere every time.
hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True)
hypothesis.settings.register_profile("explore", deadline=None, derandomize=False)
hypothesis.settings.load_profile("repeatable")

# Tests in a browser leave Playwright's event loop in this thread, and Django's guard against queries inside of an event
# loop would then refuse their own set-up and clean-up. Nothing here runs queries in coroutines.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: no test that starts an event loop of its own can follow them in one process."""
    items.sort(key=lambda item: "e2e" in item.path.parts)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Tests of real transactions clean up behind them: audit trail and ledgers, too, and in no more than a moment."""
    with django_db_blocker.unblock():
        truncation_of_the_trail(allowed=True)
        if _may_pass_over_triggers():
            connection.ops.sql_flush = _empty_what_was_filled


def _may_pass_over_triggers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def _empty_what_was_filled(_style: object, tables: Sequence[str], **_options: object) -> list[str]:
    """What `flush` runs: a DELETE where rows are. Truncating all tables took three seconds after each such test.

    References and triggers are passed over, which takes a superuser; others go on truncating.
    """
    # The shared cache is no model's table: what one test counted there within the hour would count for the next.
    names = {table: connection.ops.quote_name(table) for table in (*tables, "site_cache")}
    looks = (f"SELECT '{table}' WHERE EXISTS (SELECT FROM {name})" for table, name in names.items())  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(looks))
        filled = [table for (table,) in cursor.fetchall()]
    emptied = [f"DELETE FROM {names[table]}" for table in filled]  # noqa: S608
    return ["SET LOCAL session_replication_role = replica", *emptied, "SET LOCAL session_replication_role = DEFAULT"]


def truncation_of_the_trail(*, allowed: bool) -> None:
    """Switch the triggers that guard the audit trail and other ledgers against TRUNCATE."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgtype::int & 32 <> 0"
        )
        switch = "DISABLE" if allowed else "ENABLE"
        for table, name in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} {switch} TRIGGER "{name}"')


@pytest.fixture(autouse=True)
def no_second_factor(settings: Settings) -> None:
    """Administrators reach the desk by `force_login` alone; the tests of the gate itself switch it on."""
    settings.REQUIRE_SECOND_FACTOR = False


@pytest.fixture(autouse=True)
def language_of_the_site() -> None:
    """Each test begins in Chinese: the language of a request stays with the thread when the request is over."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def uploads_of_its_own(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a test uploads lies in a folder of that test, which is made when something is uploaded."""
    settings.MEDIA_ROOT = tmp_path_factory.getbasetemp() / "uploads" / uuid4().hex


@dataclass(frozen=True)
class UnionTree:
    """henan → zhengzhou → (zhongyuan → shifo, jinshui); guangdong → shenzhen: the neighbour."""

    henan: Union
    zhengzhou: Union
    zhongyuan: Union
    shifo: Union
    jinshui: Union
    guangdong: Union
    shenzhen: Union


def _child(parent: Union, name: str, level: Level, code: str) -> Union:
    parent.refresh_from_db()
    return Union.objects.add_child(parent, {"name": name, "level": level, "division_code": code})


@pytest.fixture
def tree(db: None) -> UnionTree:
    henan = Union.objects.add_root({"name": "河南省总工会", "level": Level.PROVINCE, "division_code": "41"})
    zhengzhou = _child(henan, "郑州市总工会", Level.CITY, "4101")
    zhongyuan = _child(zhengzhou, "中原区总工会", Level.DISTRICT, "410102")
    jinshui = _child(zhengzhou, "金水区总工会", Level.DISTRICT, "410105")
    shifo = _child(zhongyuan, "石佛镇总工会", Level.STREET, "410102100")
    guangdong = Union.objects.add_root({"name": "广东省总工会", "level": Level.PROVINCE, "division_code": "44"})
    shenzhen = _child(guangdong, "深圳市总工会", Level.CITY, "4403")
    for union in (henan, zhengzhou, zhongyuan, jinshui, shifo, guangdong, shenzhen):
        union.refresh_from_db()
    return UnionTree(henan, zhengzhou, zhongyuan, shifo, jinshui, guangdong, shenzhen)


class PostMaker:
    """Makes staff: `post(tree.zhengzhou, Role.CADRE)` gives a new person with that post."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, union: Union, role: Role = Role.ADMINISTRATOR, *, name: str | None = None) -> Staff:
        self.made += 1
        user = User.objects.create_user(
            username=f"person{self.made}", password="a long sentence", name=name or f"干部{self.made}"
        )
        return Staff.objects.create(user=user, union=union, role=role)


@pytest.fixture
def post(db: None) -> PostMaker:
    return PostMaker()


class WorkerMaker:
    """Makes workers: `worker(tree.shifo)` gives a new rider who belongs there; `worker()` one of no union."""

    def __init__(self) -> None:
        self.made = 0

    def __call__(self, union: Union | None = None, *, name: str | None = None) -> Worker:
        self.made += 1
        user = User.objects.create_user(
            name=name or f"小哥{self.made}", phone=f"+8613800138{self.made:03}", phone_verified=True
        )
        return Worker.objects.create(user=user, union=union, occupation="food_rider")


@pytest.fixture
def worker(db: None) -> WorkerMaker:
    return WorkerMaker()
