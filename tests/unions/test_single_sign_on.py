"""Single sign-on by OpenID Connect, against a local provider that speaks the protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.conftest import PostMaker, UnionTree
from yizhan.unions.models import User
from yizhan.unions.rights import Role


class Provider(ThreadingHTTPServer):
    """An OpenID provider at which one person is signed in."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = f"http://127.0.0.1:{self.server_address[1]}"
        self.exchanged: list[dict[str, str]] = []


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def do_GET(self) -> None:
        if self.path.endswith("/.well-known/openid-configuration"):
            self._answer(
                {
                    "issuer": self.server.address,
                    "authorization_endpoint": f"{self.server.address}/authorize",
                    "token_endpoint": f"{self.server.address}/token",
                    "userinfo_endpoint": f"{self.server.address}/userinfo",
                    "jwks_uri": f"{self.server.address}/jwks",
                }
            )
        else:
            self._answer({"sub": "person-7", "name": "统一认证的人", "preferred_username": "seven"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.exchanged.append({name: values[0] for name, values in parse_qs(body).items()})
        self._answer({"access_token": "token", "token_type": "Bearer", "expires_in": 3600})

    def _answer(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def provider(settings: Settings) -> Iterator[Provider]:
    server = Provider()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APPS": [
                {
                    "provider_id": "city",
                    "name": "市统一认证",
                    "client_id": "yizhan",
                    "secret": "secret",
                    "settings": {"server_url": server.address},
                }
            ],
        }
    }
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def come_back(client: Client, process: str = "login") -> Any:
    """Go to the provider and come back with its code."""
    there = client.post(f"/accounts/oidc/city/login/?process={process}")
    assert there.status_code == 302
    query = {name: values[0] for name, values in parse_qs(urlsplit(there["Location"]).query).items()}
    assert query["code_challenge_method"] == "S256"
    return client.get("/accounts/oidc/city/login/callback/", {"code": "abc", "state": query["state"]})


def test_the_sign_in_page_offers_the_configured_service(client: Client, db: None, provider: Provider) -> None:
    page = client.get(reverse("account_login")).content.decode()
    assert "市统一认证" in page
    assert "/accounts/oidc/city/login/" in page


def test_who_is_not_connected_gets_no_account(client: Client, db: None, provider: Provider) -> None:
    answer = come_back(client)
    assert answer.status_code == 200 or answer["Location"].startswith("/accounts/")
    assert not User.objects.exists()
    assert "_auth_user_id" not in client.session
    assert client.get(reverse("socialaccount_signup")).status_code in {200, 302}
    assert not User.objects.exists()


def test_staff_connect_once_and_sign_in_by_it_from_then_on(
    client: Client, tree: UnionTree, post: PostMaker, provider: Provider
) -> None:
    staff = post(tree.zhongyuan, Role.CADRE)
    client.force_login(staff.user)
    come_back(client, "connect")
    assert SocialAccount.objects.get().user == staff.user
    page = client.get(reverse("socialaccount_connections")).content.decode()
    assert f"市统一认证 · {staff.user.username}" in page
    fresh = Client()
    answer = come_back(fresh)
    assert answer["Location"] == reverse("web:desk")
    assert fresh.session["_auth_user_id"] == str(staff.user_id)
    assert fresh.get(reverse("unions:inbox")).status_code == 200
    assert "code_verifier" in provider.exchanged[-1]
