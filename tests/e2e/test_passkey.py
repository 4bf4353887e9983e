"""A passkey in a real browser, with a virtual authenticator: added once, then the only thing needed to sign in."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.conftest import PostMaker, UnionTree
from yizhan.unions.rights import Role

from .conftest import follow

PASSWORD = "a long sentence"


@pytest.fixture
def administrator(transactional_db: None, tree: UnionTree, post: PostMaker) -> str:
    return str(post(tree.zhengzhou, Role.ADMINISTRATOR).user.username)


def test_an_administrator_adds_a_passkey_and_signs_in_with_it_alone(
    administrator: str, live_server: LiveServer, page: Page, settings: Settings
) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )

    def to(name: str) -> str:
        return f"{live_server.url}{reverse(name)}"

    page.goto(to("account_login"))
    page.fill("#id_login", administrator)
    page.fill("#id_password", PASSWORD)
    follow(page, page.locator("main button.button-primary"))
    page.goto(to("unions:inbox"))
    expect(page).to_have_url(to("mfa_index"))  # the desk is closed until there is a second factor

    page.goto(to("mfa_add_webauthn"))
    page.fill("#id_password", PASSWORD)
    follow(page, page.locator("main button.button-primary"))
    page.fill("#id_name", "我的手机")
    page.check("#id_passwordless")
    page.click("#mfa_webauthn_add")
    expect(page).to_have_url(to("mfa_view_recovery_codes"))
    page.goto(to("unions:inbox"))
    expect(page).to_have_url(to("unions:inbox"))

    page.goto(to("unions:account"))
    follow(page, page.locator(f'form[action="{reverse("account_logout")}"] button'))
    page.goto(to("account_login"))
    page.click("#passkey_login")
    expect(page).to_have_url(re.compile(f"^{re.escape(to('web:desk'))}$"))
    page.goto(to("unions:audit"))
    expect(page.locator("main h1")).to_be_visible()
    assert not [text for text in complaints if "404" not in text]
