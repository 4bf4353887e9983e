"""A cadre on the way without a network, and two who change one visit: in a real browser, against the real thing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .conftest import DESK, PHONE, WORKER_IS_ACTIVE, NewPage, follow, until
from .test_shell_accessibility import findings

OF_OUTREACH = (
    "/desk/links/",
    "/desk/links/new/",
    "/desk/links/targets/",
    "/desk/links/coverage/",
    "/desk/links/hand-overs/",
    "/desk/visits/",
    "/desk/visits/new/",
    "/desk/rounds/",
    "/desk/ledger/",
    "/visit-form/",
)


def _ready(page: Page) -> None:
    """The form is kept by the phone, with all it needs."""
    page.goto("/visit-form/")
    until(page, WORKER_IS_ACTIVE)
    page.reload()  # the first visit was made before the worker could keep anything
    expect(page.locator("[data-visits][data-kept=yes]")).to_be_attached()
    expect(page.locator("[data-part=state][data-told=online]")).to_be_attached()


def test_a_visit_written_without_a_network_is_sent_once_and_two_versions_are_chosen_line_by_line(
    new_page: NewPage,
) -> None:
    phone = new_page(PHONE, signed_in="cadre", service_workers="allow")
    _ready(phone)
    desk = new_page(DESK, signed_in="cadre")

    phone.context.set_offline(True)
    phone.goto("/visit-form/")  # from the phone's own copy
    expect(phone.locator("[data-part=state][data-told=offline]")).to_be_attached()
    phone.fill("#where", "没有网络的桥下")
    phone.fill("#counted", "3")
    phone.fill("#words", "路上写的第一稿")
    phone.fill("#needs", "桥下没有饮水点")
    phone.locator("form[data-part=form] button.button-primary").click()
    expect(phone.locator("[data-part=list] li")).to_have_count(1)
    phone.reload()  # nothing is lost when the page is closed
    expect(phone.locator("[data-part=list] li[data-state=waits]")).to_contain_text("没有网络的桥下")
    desk.goto("/desk/visits/?q=没有网络的桥下")
    expect(desk.locator("tbody tr")).to_have_count(0)

    phone.context.set_offline(False)
    phone.reload()
    expect(phone.locator("[data-part=recent-list]")).to_contain_text("没有网络的桥下")
    expect(phone.locator("[data-part=list] li")).to_have_count(0)
    phone.reload()
    expect(phone.locator("[data-part=state][data-told=online]")).to_be_attached()
    desk.goto("/desk/visits/?q=没有网络的桥下")
    expect(desk.locator("tbody tr")).to_have_count(1)
    desk.locator("tbody th a").click()
    expect(desk.locator("main")).to_contain_text("桥下没有饮水点")

    phone.context.set_offline(True)
    phone.locator("[data-part=recent-list] li", has_text="没有网络的桥下").get_by_role("button").click()
    phone.fill("#words", "路上改的")
    phone.fill("#minutes", "25")
    phone.locator("form[data-part=form] button.button-primary").click()
    expect(phone.locator("[data-part=list] li[data-state=waits]")).to_have_count(1)
    desk.get_by_role("link", name="修改").click()
    desk.get_by_label("谈了什么").fill("局里改的")
    desk.locator("form.form button.button-primary").click()
    expect(desk.locator("main")).to_contain_text("局里改的")

    phone.context.set_offline(False)
    phone.reload()
    waiting = phone.locator("[data-part=list] li[data-state=conflict]")
    waiting.get_by_role("button").click()
    two = phone.locator("[data-part=conflict]")
    expect(two).to_contain_text("局里改的")
    expect(two).to_contain_text("路上改的")
    assert findings(phone) == []
    desk.reload()
    expect(desk.locator("main")).to_contain_text("路上改的")  # the desk shows both, too
    two.locator("input[name=hold-words][value=present]").check()
    two.get_by_role("button").click()
    expect(phone.locator("[data-part=list] li")).to_have_count(0)
    desk.reload()
    expect(desk.locator("dl.facts").first).to_contain_text("25")
    expect(desk.locator("section", has_text="谈了什么").first).to_contain_text("局里改的")


@pytest.mark.parametrize("paths", [OF_OUTREACH], ids=["outreach"])
def test_the_pages_of_links_visits_and_the_ledger_are_open_to_all_staff(
    new_page: NewPage, size: dict[str, int], paths: tuple[str, ...]
) -> None:
    page = new_page(size, signed_in="admin")
    found = {}
    for path in paths:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        found[path] = findings(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    for path in ("/desk/ledger/", "/desk/rounds/", "/desk/visits/", "/desk/links/"):
        page.goto(path)
        follow(page, page.locator("tbody th[scope=row] a").first)
        found[f"{path} one"] = findings(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    assert {path: each for path, each in found.items() if each} == {}
