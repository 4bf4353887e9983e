"""The desk in a browser: a phone's drawer, dialogs, the live map."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from .conftest import DESK, PHONE, WORKER_IS_ACTIVE, NewPage, until


def test_on_a_phone_the_drawer_opens_by_key_and_closes_by_escape(new_page: NewPage) -> None:
    page = new_page(PHONE, signed_in="cadre")
    more = page.get_by_role("button", name="更多")
    more.focus()
    page.keyboard.press("Enter")
    drawer = page.get_by_role("dialog", name="工作台导航")
    expect(drawer).to_be_visible()
    expect(drawer.get_by_role("link", name="总览")).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(more).to_be_focused()


def test_the_first_tab_leads_past_the_navigation(new_page: NewPage) -> None:
    page = new_page(DESK, signed_in="cadre")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_what_waits_stands_beside_the_entries_and_is_kept_over_to_the_next_page(new_page: NewPage) -> None:
    page = new_page(DESK, signed_in="cadre")
    entry = page.locator(".desk-side a[href='/desk/cases/'] [data-waiting]")
    expect(entry).to_have_text(re.compile(r"待处理 [1-9]\d*"))
    number = entry.inner_text()
    page.route("**/desk/waiting/", lambda route: route.fulfill(status=503))
    page.goto("/desk/places/")
    expect(entry).to_have_text(number)


def test_a_question_before_destroying_is_modal_and_keeping_is_the_first_choice(new_page: NewPage) -> None:
    page = new_page(DESK)
    page.goto("/design/")
    page.get_by_role("button", name="删除").last.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1,284 次到访记录")
    expect(dialog.get_by_role("button", name="先不动")).to_be_focused()
    assert page.evaluate("document.querySelector('dialog[open]').matches(':modal')")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()


def test_without_script_the_question_still_opens(new_page: NewPage) -> None:
    page = new_page(PHONE, javascript=False)
    page.goto("/design/")
    page.get_by_role("button", name="删除").last.click()
    expect(page.get_by_role("button", name="先不动")).to_be_visible()


def test_vehicles_move_and_reminders_arrive_on_the_live_map(new_page: NewPage) -> None:
    page = new_page(DESK, signed_in="reader")
    page.goto("/desk/passage/live/")
    expect(page.locator("[data-part=connection]")).to_have_text("模拟运行中")
    expect(page.locator("[data-part=vehicles]")).to_have_text(re.compile(r"[1-9]\d*"))
    expect(page.locator("[data-part=map] canvas")).to_be_visible()
    time = page.locator("[data-part=time]")
    before = time.inner_text()
    expect(time).not_to_have_text(before)


def test_a_paused_map_stands_still_and_goes_on(new_page: NewPage) -> None:
    page = new_page(PHONE, signed_in="reader")
    page.goto("/desk/passage/live/")
    expect(page.locator("[data-part=connection]")).to_have_text("模拟运行中")
    page.get_by_role("button", name="暂停").click()
    expect(page.locator("[data-part=connection]")).to_have_text("已暂停")
    stopped = page.locator("[data-part=time]").inner_text()
    page.wait_for_timeout(1500)
    expect(page.locator("[data-part=time]")).to_have_text(stopped)
    page.get_by_role("button", name="继续").click()
    expect(page.locator("[data-part=connection]")).to_have_text("模拟运行中")
    expect(page.locator("[data-part=time]")).not_to_have_text(stopped)


def test_a_broken_connection_is_said(new_page: NewPage) -> None:
    page = new_page(DESK, signed_in="reader")
    page.route("**/api/live/events*", lambda route: route.fulfill(status=401))
    page.route("**/desk/passage/live/addresses/", lambda route: route.fulfill(status=403))
    page.goto("/desk/passage/live/")
    expect(page.locator("[data-part=connection]")).to_have_text("连接已结束，请刷新页面")


def test_no_page_of_the_desk_is_kept_by_the_phone(new_page: NewPage) -> None:
    page = new_page(PHONE, signed_in="cadre", service_workers="allow")
    until(page, WORKER_IS_ACTIVE)
    page.goto("/desk/places/")
    page.goto("/desk/")
    kept = page.evaluate(
        "caches.keys().then(names => Promise.all(names.map(name => caches.open(name).then(c => c.keys()))))"
        ".then(all => all.flat().map(request => new URL(request.url).pathname))"
    )
    assert [path for path in kept if not path.startswith(("/static/", "/offline/"))] == []
    offline = page.evaluate("caches.match('/offline/', {ignoreVary: true}).then(answer => answer.text())")
    assert "李建国" not in offline
    assert "/desk/" not in offline
