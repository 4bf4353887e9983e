"""A worker before a locked door, the keeper at the desk, and the worker again: in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from .conftest import DESK, NewPage, follow
from .test_shell_accessibility import findings

OF_REPORTS = ("/desk/places/reports/", "/desk/places/plates/")


@pytest.mark.parametrize("javascript", [True, False], ids=["with script", "without script"])
def test_a_worker_reports_with_one_tap_and_reads_the_keepers_answer(new_page: NewPage, javascript: bool) -> None:
    keeper = new_page(DESK, signed_in="cadre")
    keeper.goto("/desk/places/plates/?union=金水")
    name = keeper.locator("tbody th a").nth(3 if javascript else 5).inner_text()
    keeper.goto(f"/desk/places/?q={name}&status=published")
    keeper.locator("tbody th a").first.click()
    keeper.get_by_role("link", name="公开页面").click()
    address = keeper.url

    worker = new_page(javascript=javascript)
    worker.goto(address)
    worker.locator("button[value=wrong_place]").dblclick()  # a double tap counts once
    worker.wait_for_url("**/r/*/")
    expect(worker.locator("main")).to_contain_text("已通知站点")
    assert findings(worker) == [] if javascript else True
    receipt = worker.url

    keeper.goto(f"/desk/places/reports/?q={name}&kind=wrong_place&waiting=answer")
    expect(keeper.locator("tbody tr")).to_have_count(1)
    keeper.locator("tbody th a").click()
    assert findings(keeper) == []
    keeper.get_by_label("修好了").check()
    keeper.get_by_label("做了什么").fill("已改正位置")
    keeper.get_by_role("button", name="提交答复").click()
    expect(keeper.locator("main")).to_contain_text("已改正位置")

    worker.goto(receipt)
    expect(worker.locator("main")).to_contain_text("已改正位置")
    worker.get_by_role("button", name="修好了", exact=True).click()
    expect(worker.locator("main")).to_contain_text("已办结")


def test_the_pages_of_reports_and_plates_are_open_to_all_staff(new_page: NewPage, size: dict[str, int]) -> None:
    page = new_page(size, signed_in="cadre")
    found = {}
    for path in OF_REPORTS:
        page.goto(path)
        found[path] = findings(page)
    follow(page, page.locator("tbody th a").first)
    found["plate"] = findings(page)
    assert found == {path: [] for path in found}


def test_the_code_at_the_door_opens_the_page_of_the_place(new_page: NewPage) -> None:
    keeper = new_page(DESK, signed_in="cadre")
    keeper.goto("/desk/places/plates/")
    keeper.locator("tbody tr", has_text="已发布").locator("th a").first.click()
    name = keeper.locator(".page-header-lead").inner_text()
    address = keeper.get_by_role("link", name="/p/").inner_text()
    worker = new_page()
    worker.goto(address)
    worker.wait_for_url("**/places/*/")
    expect(worker.locator("h1")).to_have_text(name)
    expect(worker.get_by_role("button", name="门锁着")).to_be_visible()
