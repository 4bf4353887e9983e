"""Verifiers, keepers and workers at places, in a real browser: on the spot, on the map, without a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.places.test_pictures import drawn

from .conftest import DESK, IN_THE_CITY, PHONE, WORKER_IS_ACTIVE, NewPage, follow, until
from .test_shell_accessibility import findings

LISTS = (
    "/desk/places/?view=map",
    "/desk/places/?q=没有这个名字",
    "/desk/places/equipment/",
    "/desk/places/words/",
    "/desk/places/care/",
    "/desk/places/reports/",
    "/desk/places/reports/rules/",
    "/desk/places/plates/",
    "/places/",
    "/places/?q=没有这个名字",
    "/places/?lon=0&lat=0&datum=WGS-84",
)
OF_ONE = ("", "change/", "verify/", "photos/", "shut/", "equipment/new/", "plate/")

# That the service worker holds the page: an event, since a script of ours that asks again and again is not allowed.
IS_HELD = """Promise.resolve(
    navigator.serviceWorker.controller ??
    new Promise(held => navigator.serviceWorker.addEventListener("controllerchange", held, { once: true }))
).then(() => true)"""


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A photo as a telephone takes it."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(drawn())
    return path


def address_of_a_place(page: Page, query: str = "status=published", number: int = 0) -> str:
    """Of its page at the desk."""
    page.goto(f"/desk/places/?{query}")
    return page.locator("tbody th a").nth(number).get_attribute("href") or ""


def test_every_page_of_places_is_open_to_everyone_and_no_wider_than_the_screen(
    new_page: NewPage, size: dict[str, int]
) -> None:
    page = new_page(size, signed_in="admin")  # the pages of rules are the administrator's
    one = address_of_a_place(page)
    page.goto(one)
    public = page.get_by_role("link", name="公开页面").get_attribute("href") or ""
    suspended = address_of_a_place(page, "status=suspended").replace("/desk", "")
    paths = [*LISTS, *(one + part for part in OF_ONE), public, f"{public}report/", suspended]
    wrong: dict[str, object] = {}
    for path in paths:
        answer = page.goto(path)
        assert answer is not None
        assert answer.status in {200, 422}, path
        if found := findings(page):
            wrong[path] = found
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong[f"{path} is too wide"] = size
    assert wrong == {}


def test_a_verifier_stands_before_the_door_with_a_telephone(new_page: NewPage, picture: Path) -> None:
    page = new_page(PHONE, signed_in="cadre", position={**IN_THE_CITY, "accuracy": 12})
    address = address_of_a_place(page, number=2)
    page.goto(f"{address}verify/")
    page.get_by_role("button", name="测一下我离站点多远").click()
    expect(page.get_by_role("status").filter(has_text=re.compile(r"\d+ ?米"))).to_be_visible()
    for answer in page.locator("input[type=radio][value=ok]").all():
        answer.check()
    page.locator("input[type=file]").set_input_files(picture)
    page.get_by_role("button", name="提交核查").or_(page.get_by_role("button", name="记录")).first.click()
    page.wait_for_url(f"**{address}")
    looks = page.get_by_role("region", name="核查记录")
    expect(looks).to_contain_text("± 12")
    evidence = looks.get_by_role("link", name="照片").first.get_attribute("href") or ""
    answer = page.request.get(evidence)
    assert answer.headers["content-type"] == "image/jpeg"
    assert b"Exif" not in answer.body()


def test_a_keeper_picks_a_position_on_the_map_by_tap_and_by_keys(new_page: NewPage) -> None:
    page = new_page(DESK, signed_in="cadre")
    page.goto("/desk/places/new/")
    pick = page.locator("[data-pick][data-state=drawn]")
    canvas = pick.locator("canvas")
    expect(canvas).to_be_visible()
    canvas.click(position={"x": 320, "y": 160})
    expect(pick.get_by_role("status")).to_contain_text("WGS-84")
    expect(page.get_by_label("坐标从哪里来")).to_have_value("WGS-84")
    lon = page.locator("input[name=lon]")
    first = float(lon.input_value())
    assert 73 < first < 136
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(800)  # the map glides
    page.get_by_role("button", name="取地图中心点").press("Enter")
    expect(lon).not_to_have_value(f"{first:.6f}")
    here = (float(lon.input_value()), float(page.locator("input[name=lat]").input_value()))
    page.get_by_label("坐标从哪里来").select_option("GCJ-02")
    page.get_by_role("radio", name="入口").check()
    page.get_by_role("button", name="取地图中心点").click()
    expect(page.locator("input[name=entrance_lon]")).not_to_have_value("")
    door = float(page.locator("input[name=entrance_lon]").input_value())
    assert abs(door - here[0]) < 0.02, "in the datum of the form, near the middle of the map"


def test_a_report_without_a_network_waits_and_is_sent_once_with_its_photo(new_page: NewPage, picture: Path) -> None:
    keeper = new_page(DESK, signed_in="cadre")
    keeper.goto(address_of_a_place(keeper, number=6))
    name = keeper.get_by_role("heading", level=1).inner_text()
    public = keeper.get_by_role("link", name="公开页面").get_attribute("href") or ""
    worker = new_page(service_workers="allow")
    worker.goto(f"{public}report/?kind=medicine_expired")
    until(worker, WORKER_IS_ACTIVE)
    worker.reload()  # now the service worker sees the requests
    assert worker.evaluate(IS_HELD)
    worker.context.set_offline(True)
    worker.locator("input[name=kind][value=medicine_expired]").check()
    worker.locator("input[type=file]").set_input_files(picture)
    worker.get_by_role("button", name="提交反馈").or_(worker.get_by_role("button", name="反馈")).first.click()
    expect(worker.locator("[data-waiting-reports]")).to_contain_text("有网络后自动发送")
    worker.goto("/")  # another page, still without a network
    expect(worker.locator("[data-waiting-reports]")).to_contain_text(name)
    worker.context.set_offline(False)
    worker.goto("/")
    follow = worker.get_by_role("link", name="查看答复")
    expect(worker.locator("[data-waiting-reports]")).to_contain_text("已发送。")  # with its photo
    follow.click()
    worker.wait_for_url("**/r/*/")
    expect(worker.locator(".report-photo")).to_have_count(1)
    worker.goto("/")
    expect(worker.locator("[data-waiting-reports]")).to_be_hidden()
    keeper.goto(f"/desk/places/reports/?q={name}&kind=medicine_expired&waiting=answer")
    expect(keeper.locator("tbody tr")).to_have_count(1)
    keeper.locator("tbody th a").click()
    expect(keeper.locator("img.report-photo")).to_have_count(1)


def test_the_offline_page_speaks_the_readers_language_and_takes_reports(new_page: NewPage) -> None:
    page = new_page(PHONE, position=IN_THE_CITY, language="en", service_workers="allow")
    page.goto("/")
    until(page, WORKER_IS_ACTIVE)
    until(page, "caches.match('/api/places/nearest').then(answer => Boolean(answer))")
    page.context.set_offline(True)
    page.goto("/?kind=station")
    expect(page.get_by_role("heading", level=1)).to_have_text("You have no network just now")
    page.get_by_label("Which place").select_option(index=3)
    page.get_by_label("Door locked").check()
    page.get_by_role("button", name="Report").click()
    expect(page.locator("[data-waiting-reports]")).to_contain_text("waits on this phone")
    assert findings(page) == []
    page.get_by_role("button", name="Do not send it").click()
    expect(page.locator("[data-waiting-reports]")).to_be_hidden()


def test_a_keeper_drags_a_position_on_a_telephone_and_the_form_follows(new_page: NewPage) -> None:
    page = new_page(PHONE, signed_in="cadre")
    page.goto(address_of_a_place(page, number=1) + "change/")
    pick = page.locator("[data-pick][data-state=drawn]")
    mark = pick.locator(".maplibregl-marker").first
    pick.locator("canvas").evaluate("map => map.scrollIntoView({ block: 'center' })")
    expect(mark).to_be_visible()
    lon, datum = page.locator("input[name=lon]"), page.get_by_label("坐标从哪里来").input_value()
    assert datum
    before = float(lon.input_value())
    box = mark.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 70, box["y"] + 40, steps=8)
    page.mouse.up()
    expect(pick.get_by_role("status")).to_contain_text(datum)
    expect(lon).not_to_have_value(f"{before:.6f}")
    assert 0 < float(lon.input_value()) - before < 0.05


def test_the_desks_map_on_a_telephone_stands_on_the_first_screen_and_keeps_its_filters_folded(
    new_page: NewPage,
) -> None:
    page = new_page(PHONE, signed_in="admin")
    page.goto("/desk/places/?view=map")
    canvas = page.locator("[data-desk-map] canvas")
    expect(canvas).to_be_visible()
    box = canvas.bounding_box()
    assert box is not None
    assert box["y"] < PHONE["height"] * 0.7
    status = page.get_by_label("状态")
    expect(status).to_be_hidden()
    page.get_by_text("更多条件").click()
    status.select_option("closed")
    follow(page, page.get_by_role("button", name="查询"))
    expect(page.get_by_label("状态")).to_be_visible()
    follow(page, page.get_by_role("link", name="清除条件"))
    assert page.url.endswith("?view=map")


def test_a_rider_finds_the_stations_along_the_way_in_the_order_of_the_ride(
    new_page: NewPage, size: dict[str, int]
) -> None:
    page = new_page(size, position=IN_THE_CITY)
    page.goto("/")
    expect(page.locator("[data-part=position]")).to_contain_text("距离")
    expect(page.locator(".maplibregl-ctrl-scale")).to_have_text(re.compile(r"^(\d+\sm|[1-5]\skm)$"))  # near the rider
    button = page.get_by_role("button", name="顺路找站")
    button.click()
    expect(page.locator("[data-part=position]")).to_contain_text("要去的地方")
    box = page.locator("[data-part=map] canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.4)
    expect(page.locator("[data-part=position]")).to_contain_text("按行进顺序")
    told = page.locator("[data-part=list] [data-part=distance]").all_inner_texts()
    assert all(re.match(r"前行 [\d.]+ (公里|米) · 绕行 [\d.]+ (公里|米)$", text) for text in told)
    page.get_by_role("button", name="添加地图中心点").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="撤回一点").click()
    page.get_by_role("button", name="撤回一点").click()
    expect(page.locator("[data-part=position]")).to_contain_text("再在地图上点一下")
    assert findings(page) == []
    page.get_by_role("button", name="结束").click()
    expect(page.locator("[data-part=position]")).to_contain_text("距离")
    expect(button).to_have_attribute("aria-pressed", "false")
