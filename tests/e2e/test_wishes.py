"""Figures, wishes, stock, rosters and consultations in a real browser: open to all, and a sponsor claims on a phone."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import expect

from .conftest import DESK, PHONE, NewPage, follow
from .test_shell_accessibility import findings

OF_WISHES = (
    "/desk/figures/",
    "/desk/wishes/",
    "/desk/sponsors/",
    "/desk/sponsors/new/",
    "/desk/stock/",
    "/desk/stock/new/",
    "/desk/stock/out/",
    "/desk/roster/",
    "/desk/roster/new/",
    "/desk/meetings/",
    "/desk/meetings/new/",
    "/wishes/",
)


def test_the_pages_of_figures_wishes_and_consultations_are_open_to_all_staff(
    new_page: NewPage, size: dict[str, int]
) -> None:
    page = new_page(size, signed_in="admin")
    found = {}
    for path in OF_WISHES:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        found[path] = findings(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    for path in ("/desk/wishes/", "/desk/stock/", "/desk/meetings/"):
        page.goto(path)
        follow(page, page.locator("tbody th[scope=row] a").first)
        found[f"{path} one"] = findings(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    assert {path: each for path, each in found.items() if each} == {}


def test_a_sponsor_claims_a_wish_on_a_phone_under_its_own_link(new_page: NewPage) -> None:
    desk = new_page(DESK, signed_in="admin")
    desk.goto("/desk/sponsors/")
    desk.locator("tbody th[scope=row] a").first.click()
    link = desk.locator(".case-link a").get_attribute("href")
    assert link is not None
    phone = new_page(PHONE)
    phone.goto(urlsplit(link).path)
    assert findings(phone) == []
    wish = phone.locator("section", has_text="等待认领").locator("li").first
    title = wish.locator(".entry-title").inner_text()
    wish.get_by_role("button").click()
    expect(phone.locator("section", has_text="您认领的心愿").locator("li").first).to_contain_text(title)
    desk.goto("/desk/wishes/?state=claimed")
    expect(desk.locator("tbody")).to_contain_text(title)
