"""A worker looks for a station: on a phone and on a wide screen, with and without position, script, map and network."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import IN_THE_CITY, PHONE, WORKER_IS_ACTIVE, NewPage, follow, until

Size = dict[str, int]
LIST = "[data-part=list] > li"


def _distances(page: Page) -> list[float]:
    """Metres, as the list says them."""
    found = []
    for text in page.locator("[data-part=list] [data-part=distance]").all_inner_texts():
        number, unit = re.fullmatch(r"([\d.]+) (米|公里)", text).groups()  # type: ignore[union-attr]
        found.append(float(number) * (1000 if unit == "公里" else 1))
    return found


def test_with_a_position_the_nearest_come_first(new_page: NewPage, size: Size) -> None:
    page = new_page(size, position=IN_THE_CITY)
    page.goto("/")
    expect(page.get_by_role("status")).to_contain_text("您的位置不会被保存")
    expect(page.locator("[data-part=number]")).to_have_text("离您最近的 20 个站点")
    distances = _distances(page)
    assert len(distances) == 20
    assert distances == sorted(distances)
    expect(page.locator(".home-map[data-state=drawn] canvas")).to_be_visible()
    expect(page.get_by_role("img", name="您的位置")).to_be_attached()


def test_who_keeps_the_position_to_themselves_still_finds_stations(new_page: NewPage, size: Size) -> None:
    page = new_page(size)
    page.goto("/")
    page.get_by_role("button", name="用我的位置").click()
    expect(page.get_by_role("status")).to_contain_text("没有获得定位权限")
    assert page.locator(LIST).count() == 20
    expect(page.get_by_role("button", name="用我的位置")).to_be_enabled()


def test_filters_change_the_list_without_a_new_page(new_page: NewPage, size: Size) -> None:
    page = new_page(size, position=IN_THE_CITY)
    page.goto("/")
    expect(page.locator("[data-part=number]")).to_contain_text("最近")
    page.evaluate("window.still = true")
    page.get_by_role("link", name="正在开放").click()
    page.wait_for_url("**/?open=now")
    expect(page.get_by_role("link", name="正在开放")).to_have_attribute("aria-current", "true")
    expect(page.locator("[data-part=number]")).to_contain_text("最近")
    assert page.evaluate("window.still") is True
    assert _distances(page) == sorted(_distances(page))
    page.go_back()
    expect(page.get_by_role("link", name="正在开放")).not_to_have_attribute("aria-current", "true")


def test_a_word_is_searched_and_its_findings_sorted_by_distance(new_page: NewPage) -> None:
    page = new_page(PHONE, position=IN_THE_CITY)
    page.goto("/")
    page.get_by_role("searchbox").fill("二七")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=*")
    expect(page.get_by_role("heading", level=1)).to_have_text("搜索结果")
    expect(page.get_by_role("status")).to_contain_text("最符合的排在前面")
    expect(page.locator("[data-part=distance]").first).not_to_be_empty()
    assert all("二七" in row for row in page.locator(LIST).all_inner_texts())


def test_initials_find_a_zone_while_they_are_typed(new_page: NewPage) -> None:
    page = new_page(PHONE)
    page.goto("/")
    page.get_by_role("searchbox").press_sequentially("gxq")
    page.wait_for_url("**/?q=gxq")
    expect(page.locator(LIST).first).to_contain_text("高新区")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("searchbox").fill("")
    expect(page.get_by_role("heading", level=1)).to_have_text("附近的驿站")


def test_without_script_initials_find_the_same(new_page: NewPage) -> None:
    page = new_page(PHONE, javascript=False)
    page.goto("/?q=gxq")
    expect(page.locator(LIST).first).to_contain_text("高新区")


def test_without_script_the_list_filters_and_leads_to_a_station(new_page: NewPage, size: Size) -> None:
    page = new_page(size, javascript=False)
    page.goto("/")
    assert page.locator(LIST).count() == 20
    page.get_by_role("link", name="正在开放").click()
    page.wait_for_url("**/?open=now")
    first = page.locator("[data-part=list] a").first
    name = first.inner_text()
    first.click()
    page.wait_for_url("**/places/*/")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_without_webgl_the_page_says_that_the_map_cannot_be_shown(new_page: NewPage) -> None:
    page = new_page(PHONE, position=IN_THE_CITY)
    page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.goto("/")
    expect(page.locator("[data-part=map-note]")).to_have_text("这台设备无法显示地图，列表可正常使用。")
    expect(page.locator("[data-part=number]")).to_contain_text("最近")


def test_when_the_hot_look_up_fails_the_servers_list_stays(new_page: NewPage) -> None:
    page = new_page(PHONE, position=IN_THE_CITY)
    page.route("**/api/places/nearest*", lambda route: route.abort())
    page.goto("/")
    expect(page.get_by_role("status")).to_contain_text("暂时无法按距离排序")
    assert page.locator(LIST).count() == 20


def test_a_tap_on_the_map_offers_to_look_there(new_page: NewPage) -> None:
    page = new_page({"width": 1440, "height": 900})
    page.goto("/")
    canvas = page.locator(".home-map[data-state=drawn] canvas")
    expect(canvas).to_be_visible()
    until(page, "performance.getEntriesByName(location.origin + '/api/places/index.json?datum=WGS-84').length")
    page.wait_for_timeout(1500)  # the map moves to the stations
    canvas.click(position={"x": 40, "y": 40})
    page.get_by_role("button", name="看看这附近").click()
    expect(page.get_by_role("status")).to_contain_text("所选位置")
    assert _distances(page) == sorted(_distances(page))


def test_large_type_and_english_hold_across_pages(new_page: NewPage) -> None:
    page = new_page(PHONE)
    page.goto("/design/")
    page.get_by_role("button", name="大字").click()
    follow(page, page.get_by_role("button", name="English"))
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Stations near you")
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _kept(page: Page) -> dict[str, Any] | None:
    found: dict[str, Any] | None = page.evaluate(
        "caches.match('/api/places/nearest').then(answer => answer ? answer.json() : null)"
    )
    return found


def test_without_a_network_the_stations_around_the_last_position_are_shown(new_page: NewPage) -> None:
    page = new_page(PHONE, position=IN_THE_CITY, service_workers="allow")
    page.goto("/?open=now")
    expect(page.locator("[data-part=number]")).to_contain_text("最近")
    until(page, WORKER_IS_ACTIVE)
    until(page, "caches.match('/api/places/nearest').then(answer => Boolean(answer))")
    kept = _kept(page)
    assert kept is not None
    assert len(kept["places"]) == 50, "whatever the filters are"
    assert not any("distance_m" in place for place in kept["places"]), "no way to work out the position"
    page.goto("/?open=now")  # now the worker sees the requests
    seen = page.locator("[data-part=list] [data-part=name]").first.inner_text()

    page.context.set_offline(True)
    page.goto("/?kind=station")
    expect(page.get_by_role("heading", level=1)).to_have_text("现在没有网络")
    expect(page.locator("[data-saved]")).to_have_text(re.compile(r"^\d\d:\d\d 保存，开放时间以当时登记的为准。"))
    expect(page.locator("[data-saved]")).to_contain_text("位置只在本机使用")
    assert page.locator("[data-last-seen] > li").count() == 50
    distances = page.locator("[data-last-seen] [data-part=distance]").all_inner_texts()
    assert all(distances)
    assert seen in page.locator("[data-part=name]").all_inner_texts()
    addresses = page.evaluate(
        "caches.keys().then(names => Promise.all(names.map(name => caches.open(name).then(c => c.keys()))))"
        ".then(all => all.flat().map(request => new URL(request.url).pathname + new URL(request.url).search))"
    )
    pages = [address for address in addresses if not address.startswith(("/static/", "/api/places/"))]
    assert set(pages) == {"/offline/", "/offline/?language=en", "/offline/language"}
    assert not any("lon=" in address for address in addresses), "no position is kept in an address"


def test_a_page_that_loses_its_network_goes_on_with_what_was_kept(new_page: NewPage) -> None:
    page = new_page(PHONE, position=IN_THE_CITY, service_workers="allow")
    page.goto("/")
    until(page, WORKER_IS_ACTIVE)
    page.reload()
    until(page, "caches.match('/api/places/nearest').then(answer => Boolean(answer))")
    expect(page.locator("[data-part=number]")).to_contain_text("最近")
    page.context.set_offline(True)
    page.wait_for_timeout(10_500)  # the browser itself gives an answer again for ten seconds
    page.get_by_role("button", name="用我的位置").click()
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"没有网络：以下为 \d\d:\d\d 保存的站点"))
    assert _distances(page) == sorted(_distances(page))


@pytest.mark.parametrize("path", ["/", "/design/", "/offline/", "/no/such/page", "/accounts/login/"])
def test_nothing_is_wider_than_the_screen(new_page: NewPage, path: str) -> None:
    page = new_page({"width": 320, "height": 640})
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_is_asked_of_other_hosts(new_page: NewPage, size: Size) -> None:
    page = new_page(size, position=IN_THE_CITY)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    expect(page.locator("[data-part=number]")).to_contain_text("最近")
    page.wait_for_load_state("networkidle")
    here = page.evaluate("location.origin")
    assert [url for url in asked if not url.startswith((here, "blob:", "data:"))] == []
