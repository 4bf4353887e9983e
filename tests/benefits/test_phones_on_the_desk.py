"""A lost phone is blocked at the desk; the house's key is changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from typer.testing import CliRunner

from tests.benefits.conftest import NOON, Kitchen
from tests.benefits.counter_people import WorkersPhone
from yizhan.benefits.commands import app
from yizhan.benefits.models import HouseKey, Phone
from yizhan.benefits.queries.phones import house_keys
from yizhan.benefits.services.phones import CERTIFIED_FOR, rotate_house_key
from yizhan.unions.models import Worker
from yizhan.unions.rights import Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def phone(rider: Worker) -> WorkersPhone:
    return WorkersPhone.of(rider, timezone.now())


def _desk(kitchen: Kitchen, union: object, role: Role = Role.CADRE) -> Client:
    client = Client()
    client.force_login(kitchen.post(union, role).user)  # type: ignore[arg-type]
    return client


def test_a_cadre_finds_a_worker_by_phone_number_and_blocks_the_lost_phone(
    kitchen: Kitchen, rider: Worker, phone: WorkersPhone
) -> None:
    desk = _desk(kitchen, kitchen.tree.zhongyuan)

    shown = desk.post(reverse("benefits:worker_phones"), {"worker": rider.user.phone})
    blocked = desk.post(reverse("benefits:block_workers_phone", args=[phone.row.public_id]), follow=True)

    assert phone.row.dialog in shown.content.decode()
    assert "已停用" in blocked.content.decode()
    assert Phone.objects.with_scopes_disabled().get(pk=phone.row.pk).revoked_at is not None


def test_nobody_beside_finds_the_worker_or_the_phone(kitchen: Kitchen, rider: Worker, phone: WorkersPhone) -> None:
    desk = _desk(kitchen, kitchen.tree.shifo, Role.READER)
    other = _desk(kitchen, kitchen.tree.jinshui)

    assert desk.get(reverse("benefits:worker_phones")).status_code == 403
    assert other.post(reverse("benefits:worker_phones"), {"worker": str(rider.public_id)}).status_code == 422
    assert other.post(reverse("benefits:block_workers_phone", args=[phone.row.public_id])).status_code == 404


def test_a_new_key_signs_and_earlier_ones_stay_known_until_no_code_needs_them(rider: Worker) -> None:
    WorkersPhone.of(rider, NOON)
    (first,) = house_keys()

    assert rotate_house_key(at=NOON) == []
    assert sorted(house_keys()) == [first, first + 1]
    assert rotate_house_key(at=NOON + CERTIFIED_FOR * 2 + timedelta(hours=1)) == [first, first + 1]


def test_a_lost_key_is_retired_at_once_and_the_command_says_so(phone: WorkersPhone) -> None:
    (first,) = house_keys()

    done = CliRunner().invoke(app, ["rotate-house-key", "--at-once"])

    assert (done.exit_code, f"Retired: {first}." in done.output) == (0, True)
    assert sorted(house_keys()) == [first + 1]
    assert HouseKey.objects.get(number=first).retired_at is not None
