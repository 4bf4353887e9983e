"""Every address of the site, tried by those who have no business there.

All doors are collected from the URL resolver, those of the API included, so that a new one is tried by itself. A door
whose address names an object needs one to knock with: its room registers how to make it in `tests/ROOM/doors.py`:

    doors = {"desk/places/<uuid:public_id>/": Door(lambda world: {"public_id": make_place(world).public_id})}

The entry holds for all addresses that begin so. Objects belong to `world.owner.union`; their private texts contain
`world.secret`. An object that everyone may see is registered with `public=True`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookies import SimpleCookie
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models, transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLResolver, get_resolver

from tests.conftest import PostMaker, UnionTree, WorkerMaker
from tests.site.door import Door, World
from yizhan.feeds.models import PlaceChange, PlaceTouch
from yizhan.unions.models import AuditEntry, Staff
from yizhan.unions.rights import Role

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
_METHODS = ("get", "post", "put", "patch", "delete")
_REFUSALS = {401, 403, 404, 405}
# What the acting visitor leaves behind by knocking, none of it the owner's.
# Whoever reads the feeds first has what changed before numbered: places were touched when they were made.
_TRACES = {AuditEntry, PlaceChange, PlaceTouch}


def _templates(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        here = before + str(pattern.pattern).removeprefix("^").removesuffix("$").removesuffix("\\Z")
        if isinstance(pattern, URLResolver):
            yield from _templates(pattern, here)
        else:
            yield here


def _all_doors() -> list[str]:
    return sorted(set(_templates(get_resolver())))


def _registered() -> dict[str, Door]:
    found: dict[str, Door] = {}
    for path in sorted(Path(__file__).parents[1].glob("*/doors.py")):
        found.update(import_module(f"tests.{path.parent.name}.doors").doors)
    return found


def _door_of(template: str, registered: dict[str, Door]) -> Door | None:
    fitting = [beginning for beginning in registered if template.startswith(beginning)]
    return registered[max(fitting, key=len)] if fitting else None


def _names_an_object(template: str) -> bool:
    return _PARAMETER.search(template) is not None


def _address(template: str, values: dict[str, Any]) -> str:
    return "/" + _PARAMETER.sub(lambda found: str(values[found[1] or found[2]]), template)


def _knock(client: Client, method: str, address: str, door: Door | None = None) -> HttpResponse:
    if method == "post" and door is not None and door.body is not None:
        return client.post(address, door.body, content_type="application/json")
    return getattr(client, method)(address)


def _was_not_even_asked(response: HttpResponse) -> bool:
    """Whether the interface refused our empty words by their form alone, before any object was looked up."""
    if response.status_code != 422:
        return False
    fields = [error["field"] for error in response.json()["errors"]]
    return bool(fields) and all(field.split(".")[0] in {"body", "file", "form"} for field in fields)


def _signed_in(staff: Staff) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(staff.user)
    return client


@dataclass(frozen=True)
class Visitor:
    """Someone who knocks."""

    who: str
    user: AbstractBaseUser | None
    is_staff: bool

    def client(self) -> Client:
        client = Client(raise_request_exception=False)
        if self.user is not None:
            client.force_login(self.user)
        return client


@contextmanager
def _put_back() -> Iterator[None]:
    """What is changed inside is undone: the next one knocks at the same doors, as they were."""
    before = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(before)


@pytest.fixture(autouse=True)
def _only_faults_are_logged() -> Iterator[None]:
    """Thousands of refusals are expected here; to write each of them down took a fifth of the time."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def world(tree: UnionTree, post: PostMaker, worker: WorkerMaker) -> World:
    return World(tree=tree, owner=post(tree.zhongyuan, Role.ADMINISTRATOR), post=post, worker=worker)


@pytest.fixture
def visitors(world: World) -> list[Visitor]:
    tree, post = world.tree, world.post
    return [
        Visitor("a stranger", None, is_staff=False),
        Visitor("a worker of the same union", world.worker(tree.zhongyuan).user, is_staff=False),
        Visitor("the neighbour's administrator", post(tree.jinshui, Role.ADMINISTRATOR).user, is_staff=True),
        Visitor("the administrator below", post(tree.shifo, Role.ADMINISTRATOR).user, is_staff=True),
        Visitor("the neighbour's read-only", post(tree.jinshui, Role.READER).user, is_staff=True),
    ]


def _stored() -> dict[str, Any]:
    """Every row of every room, save for the visitors' traces."""
    rows = {}
    for model in apps.get_models():
        if model.__module__.startswith("yizhan.") and model not in _TRACES:
            manager = models.Manager[Any]()
            manager.model = model
            fields = [field.attname for field in model._meta.concrete_fields if field.attname != "last_login"]
            rows[model._meta.label] = list(manager.order_by("pk").values(*fields))
    return rows


def test_every_door_that_names_an_object_has_one_to_knock_with() -> None:
    registered = _registered()
    missing = [door for door in _all_doors() if _names_an_object(door) and _door_of(door, registered) is None]
    assert not missing, "register an object for these in tests/ROOM/doors.py"


def test_every_registered_object_has_a_door() -> None:
    assert not [beginning for beginning in _registered() if not any(d.startswith(beginning) for d in _all_doors())]


def test_nobody_opens_changes_or_hears_of_what_is_not_theirs(world: World, visitors: list[Visitor]) -> None:
    """Objects of another union: refused by every method, nothing told, nothing changed."""
    registered = _registered()
    doors = [(door, _door_of(door, registered)) for door in _all_doors() if _names_an_object(door)]
    closed = [(door, made) for door, made in doors if made is not None and not made.public]
    objects = {id(made): made.make(world) for made in {id(made): made for _, made in closed}.values()}
    ready = [(door, made, objects[id(made)]) for door, made in closed]
    assert ready
    before = _stored()
    wrong = []
    for visitor in visitors:
        client = visitor.client()
        for template, made, values in ready:
            address = _address(template, values)
            for method in _METHODS:
                response = _knock(client, method, address, made)
                body = b"".join(response.streaming_content) if response.streaming else response.content
                if response.status_code not in {302, 401, 403, 404, 405} and not _was_not_even_asked(response):
                    wrong.append(f"{visitor.who}: {method} {template} answered {response.status_code}")
                if response.status_code == 302 and visitor.is_staff and not template.startswith("accounts/"):
                    wrong.append(f"{visitor.who}: {method} {template} led on to {response['Location']}")
                if world.secret.encode() in body:
                    wrong.append(f"{visitor.who}: {method} {template} told the owner's secret")
    assert not wrong, "\n".join(wrong)
    after = _stored()
    assert {label for label in before if before[label] != after[label]} == set()


def test_lists_and_exports_tell_nothing_of_the_neighbour(world: World, visitors: list[Visitor]) -> None:
    """Doors without an object: they may open, but the owner's private texts are in none of them."""
    registered = _registered()
    objects = {id(door): door.make(world) for door in {id(door): door for door in registered.values()}.values()}
    doors = [(door, _door_of(door, registered)) for door in _all_doors()]
    open_ones = [(door, made) for door, made in doors if not _names_an_object(door) or (made and made.public)]
    wrong = []
    for visitor in visitors:
        client = visitor.client()
        signed_in = client.cookies
        for template, made in open_ones:
            address = _address(template, objects[id(made)] if made else {})
            client.cookies = SimpleCookie(signed_in.output(header=""))
            with _put_back():
                for method in ("get", "post"):
                    response = getattr(client, method)(address)
                    body = b"".join(response.streaming_content) if response.streaming else response.content
                    if response.status_code >= 500:
                        wrong.append(f"{visitor.who}: {method} {template} answered {response.status_code}")
                    if template.startswith("desk/") and not visitor.is_staff and response.status_code < 300:
                        wrong.append(f"{visitor.who}: {method} {template} opened the desk")
                    if world.secret.encode() in body:
                        wrong.append(f"{visitor.who}: {method} {template} told the owner's secret")
    assert not wrong, "\n".join(wrong)


def test_every_door_with_an_object_opens_to_its_owner_or_from_above(world: World) -> None:
    """The same doors open to those whom they concern: otherwise the refusals above would prove nothing."""
    registered = _registered()
    above = world.post(world.tree.zhengzhou, Role.ADMINISTRATOR)
    finance = world.post(world.owner.union, Role.FINANCE)
    doors = [(door, _door_of(door, registered)) for door in _all_doors() if _names_an_object(door)]
    opening = [(door, made) for door, made in doors if made and not made.closed_to_all and door[:9] != "accounts/"]
    objects = {id(made): made.make(world) for made in {id(made): made for _, made in opening}.values()}
    clients = [_signed_in(world.owner), _signed_in(above), _signed_in(finance)]
    wrong = []
    for template, made in opening:
        address = _address(template, objects[id(made)])
        statuses: list[int] = []
        for client in clients:
            if client is clients[-1] and not set(statuses) <= _REFUSALS:
                continue  # only what is of money and not of administrators
            with _put_back():
                statuses += [_knock(client, method, address, made).status_code for method in _METHODS]
        if set(statuses) <= _REFUSALS or max(statuses) >= 500:
            wrong.append(f"{template} answered {statuses}")
    assert not wrong, "\n".join(wrong)
