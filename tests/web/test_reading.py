"""Language and size of type: chosen by the reader, Chinese until then."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_new_reader_gets_chinese_whatever_the_browser_says(client: Client) -> None:
    answer = client.get("/", headers={"accept-language": "en-GB,en;q=0.9"})
    assert 'lang="zh-Hans"' in answer.text
    assert "附近的驿站" in answer.text
    assert answer.headers["Content-Language"] == "zh-hans"
    assert "Cookie" in answer.headers["Vary"]


def test_the_chosen_language_holds_on_the_next_page(client: Client) -> None:
    answer = client.post("/language/", {"language": "en", "next": "/design/?page=2"})
    assert answer.headers["Location"] == "/design/?page=2"
    page = client.get("/design/").text
    assert 'lang="en"' in page
    assert "Design system" in page


@pytest.mark.parametrize("language", ["fr", "", "zh-hans\x00", "../../etc"])
def test_a_language_that_we_do_not_speak_changes_nothing(client: Client, language: str) -> None:
    client.post("/language/", {"language": language})
    assert settings.LANGUAGE_COOKIE_NAME not in client.cookies
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "fr"
    assert 'lang="zh-Hans"' in client.get("/").text


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
@pytest.mark.parametrize("address", ["/language/", "/type-size/"])
def test_choosing_never_leads_to_another_site(client: Client, address: str, elsewhere: str) -> None:
    answer = client.post(address, {"language": "en", "size": "large", "next": elsewhere})
    assert answer.headers["Location"] == "/"


def test_large_type_is_remembered_and_given_up(client: Client) -> None:
    client.post("/type-size/", {"size": "large"})
    assert 'data-type="large"' in client.get("/").text
    client.post("/type-size/", {"size": "normal"})
    assert 'data-type="large"' not in client.get("/").text


def test_a_link_cannot_change_how_somebody_reads(client: Client) -> None:
    assert client.get("/language/?language=en").status_code == 405
    assert client.get("/type-size/?size=large").status_code == 405
