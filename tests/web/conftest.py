"""Readers of the shell."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from tests.conftest import PostMaker
from tests.places.conftest import PlaceMaker
from yizhan.unions.models import Staff


@pytest.fixture
def make_place(post: PostMaker) -> PlaceMaker:
    return PlaceMaker(post)


@pytest.fixture
def acting() -> Callable[[Staff], Client]:
    """A browser in which someone has signed in."""

    def act(staff: Staff) -> Client:
        client = Client()
        client.force_login(staff.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return act
