"""No serious finding of axe on any main page, on a phone and on a wide screen, in both languages."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from .conftest import IN_THE_CITY, NewPage

Size = dict[str, int]
PUBLIC = ("/", "/?q=没有这个名字", "/design/", "/offline/", "/no/such/page", "/accounts/login/")
OF_THE_DESK = (
    "/desk/",
    "/desk/inbox/",
    "/desk/places/",
    "/desk/places/new/",
    "/desk/places/import/",
    "/desk/reminders/",
    "/desk/passage/live/",
    "/desk/unions/",
    "/desk/people/",
    "/desk/people/workers/",
)


def findings(page: Page) -> list[str]:
    """What axe calls serious or critical, as rule and elements."""
    answer = Axe().run(page, options={"resultTypes": ["violations"]}).response
    return [
        f"{found['impact']} {found['id']}: {[node['html'][:160] for node in found['nodes'][:3]]}"
        for found in answer["violations"]
        if found["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_are_open_to_everyone(new_page: NewPage, size: Size, path: str) -> None:
    page = new_page(size, position=IN_THE_CITY)
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert findings(page) == []


def test_the_page_of_a_station_is_open_to_everyone(new_page: NewPage, size: Size) -> None:
    page = new_page(size)
    page.goto("/")
    page.locator("[data-part=list] a").first.click()
    page.wait_for_url("**/places/*/")
    assert findings(page) == []


def test_the_desk_is_open_to_all_staff(new_page: NewPage, size: Size) -> None:
    page = new_page(size, signed_in="cadre")
    found = {}
    for path in OF_THE_DESK:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        found[path] = findings(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    assert {path: each for path, each in found.items() if each} == {}


def test_english_pages_are_marked_as_english(new_page: NewPage, size: Size) -> None:
    page = new_page(size, language="en")
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert findings(page) == []


def test_the_home_page_can_be_walked_by_keyboard(new_page: NewPage, size: Size) -> None:
    page = new_page(size)
    page.goto("/")
    first = page.locator("[data-part=list] a").first
    for _ in range(40):
        page.keyboard.press("Tab")
        if first.evaluate("link => link === document.activeElement"):
            break
    else:
        pytest.fail("forty steps do not reach the first station")
    outline = first.evaluate("link => getComputedStyle(link.closest('li')).outlineStyle")
    assert outline == "solid", "the focus is seen"


def test_nothing_moves_for_readers_who_asked_for_stillness(new_page: NewPage) -> None:
    page = new_page()
    page.emulate_media(reduced_motion="reduce")
    page.goto("/design/")
    duration = page.locator(".button").first.evaluate("button => getComputedStyle(button).transitionDuration")
    assert float(duration.split("s", 1)[0].split(",")[0]) < 0.001
