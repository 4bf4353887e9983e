"""The sample city of `yizhan demo`: people with every role, and places. All of it goes through the services."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from django.db import transaction

from yizhan.unions.models import Staff, Union, User
from yizhan.unions.rights import BOUND_ROLES, OPERATOR, Role
from yizhan.unions.services import people

CITY_CODE = "4101"


class NotADemo(Exception):
    """The database holds somebody's real unions; the demo does not touch it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who can sign in to the demo."""

    username: str
    password: str
    role: str
    union: str
    name: str


# Division code, role, user name, the person's name.
_PEOPLE = [
    (CITY_CODE, Role.ADMINISTRATOR, "admin", "张敏"),
    ("410105", Role.CADRE, "cadre", "李建国"),
    ("410102", Role.KEEPER, "keeper", "王秀英"),
    (CITY_CODE, Role.FINANCE, "finance", "陈静"),
    ("41", Role.READER, "reader", "赵卫东"),
    ("4403", Role.ADMINISTRATOR, "neighbour", "黄伟"),
]


def city() -> Union:
    """The union of the sample city."""
    return Union.objects.get(division_code=CITY_CODE)


def refuse_real_database() -> None:
    """Raise `NotADemo` when the database holds unions that no demo made."""
    if Union.objects.exists() and not User.objects.filter(username="admin", name="张敏").exists():
        message = (
            "This database already holds unions that no demo made; the demo would mix with them. "
            "Unset DATABASE_URL, or point it to an empty database."
        )
        raise NotADemo(message)


def make_accounts(file: Path) -> list[Account]:
    """The demo's people, made at the first call; their passwords are kept in `file`, readable by its owner only."""
    entries = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    kept: dict[str, str] = {entry["username"]: entry["password"] for entry in entries}
    ours = {username for _code, _role, username, _name in _PEOPLE}
    accounts = []
    for code, role, username, name in _PEOPLE:
        union = Union.objects.get(division_code=code)
        password = kept.get(username) or f"{username}-{secrets.token_hex(4)}"
        with transaction.atomic():
            if not User.objects.filter(username=username).exists():
                people.create_post(actor=OPERATOR, union=union, role=role, username=username, name=name)
            user = User.objects.get(username=username)
            if not user.check_password(password):
                user.set_password(password)
                user.must_change_password = False
                user.save(update_fields=["password", "must_change_password"])
        accounts.append(Account(username, password, str(role.label), union.name, name))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(mode=0o600)
    others = [entry for entry in entries if entry["username"] not in ours]  # those of the rooms
    written = [*(asdict(account) for account in accounts), *others]
    file.write_text(json.dumps(written, ensure_ascii=False, indent=1), encoding="utf-8")
    return accounts


def make_places(*, seed: int = 20260501) -> int:
    """Fill the city with sample places unless it has some; returns how many there are."""
    from django_scopes import scope

    from yizhan.places.models import Place
    from yizhan.places.reports.sample import make_sample_reports
    from yizhan.places.sample import make_sample_city

    union = city()
    with scope(union=union.path):
        if not Place.objects.exists():
            make_sample_city(union, seed=seed)
            make_sample_reports(union, keeper=administrator(), seed=seed)
        return Place.objects.count()


def fill_rooms(*, seed: int = 20260501) -> None:
    """Let every room that has a module `sample_city` fill itself; harmless when it has done so before."""
    from django_scopes import scope

    from yizhan.site.api import rooms_having

    union = city()
    for room in rooms_having("sample_city"):
        with scope(union=union.path):
            room.fill(union, actor=administrator(), seed=seed)


def open_counters(file: Path) -> list[Account]:
    """Let the merchant and the cashier whom the rooms made sign in, too; adds them to the kept accounts."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    passwords = {entry["username"]: entry["password"] for entry in kept}
    posts = Staff.objects.with_scopes_disabled().filter(role__in=BOUND_ROLES).select_related("user", "union")
    for post in posts.order_by("-role", "pk"):
        username = str(post.user.username)
        password = passwords.get(username) or f"{username}-{secrets.token_hex(4)}"
        if not post.user.check_password(password):
            post.user.set_password(password)
            post.user.must_change_password = False
            post.user.save(update_fields=["password", "must_change_password"])
        if username not in passwords:
            account = Account(username, password, str(Role(post.role).label), post.union.name, post.user.name)
            kept.append(asdict(account))
    file.write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    return [Account(**entry) for entry in kept]


def administrator() -> Staff:
    """The demo's administrator, who acts where the demo needs someone to."""
    found: Staff = Staff.objects.with_scopes_disabled().get(user__username="admin", union__division_code=CITY_CODE)
    return found
