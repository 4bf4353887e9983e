"""The desk of cases in a real browser: led by keys, narrowed and kept, many at once, and a call noted."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from .conftest import DESK, NewPage, follow
from .test_shell_accessibility import findings


def _titles(page: Page) -> list[str]:
    return page.locator("tr[data-row] th a").all_inner_texts()


def test_the_desk_is_led_by_keys_and_a_narrowing_is_kept_under_a_name(new_page: NewPage) -> None:
    page = new_page(DESK, signed_in="admin")
    page.goto("/desk/cases/")
    titles = _titles(page)
    current = page.locator("tr.case-current")
    for key, row in (("j", 0), ("j", 1), ("k", 0)):
        page.keyboard.press(key)
        expect(current.locator("th a")).to_have_text(titles[row])
        expect(current.locator("th a")).to_be_focused()
    page.keyboard.press("x")
    expect(current.locator("input[type=checkbox]")).to_be_checked()
    page.keyboard.press("/")
    search = page.locator("input[name=q]")
    expect(search).to_be_focused()
    page.keyboard.type("充电")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q="))
    found = page.locator("tr[data-row]")
    assert found.count() > 0
    page.locator("details", has_text="已存筛选").locator("summary").click()
    page.locator("input[name=name]").fill("充电的事")
    page.locator("form", has=page.locator("input[name=name]")).get_by_role("button").click()
    kept = page.locator("nav.chips a", has_text="充电的事")
    expect(kept).to_be_visible()
    page.goto("/desk/cases/")
    follow(page, page.locator("nav.chips a", has_text="充电的事"))
    expect(page.locator("input[name=q]")).to_have_value("充电")
    assert findings(page) == []
    page.keyboard.press("j")
    title = page.locator("tr.case-current th a").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(title)


def test_ticked_cases_take_a_step_together_and_a_call_is_noted(new_page: NewPage) -> None:
    page = new_page(DESK, signed_in="admin")
    page.goto("/desk/cases/?waiting=answer")
    waiting = page.locator("tr[data-row]").count()
    assert waiting >= 2
    for _turn in range(2):
        page.keyboard.press("j")
        page.keyboard.press("x")
    page.locator("select[name=step]").select_option("urge")
    page.locator(".case-bulk").get_by_role("button").click()
    expect(page.get_by_text(re.compile("2 件已办理"))).to_be_visible()
    page.goto("/desk/cases/?waiting=verdict")
    follow(page, page.locator("tr[data-row] th a").first)
    call = page.locator("#step-call")
    call.locator("summary").click()
    call.locator("input[value=yes]").check()
    call.locator("select").select_option("5")
    call.locator("textarea").fill("电话里说已经能用了（示例）")
    call.get_by_role("button").click()
    expect(page.get_by_text("电话回访确认")).to_be_visible()
    expect(page.locator("ul.entries li").first).to_contain_text("电话里说已经能用了")
    assert findings(page) == []
