"""A rider, a rescuer and the duty desk in three browsers at once: from the call on the road to the stars."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESK, IN_THE_CITY, PHONE, NewPage, Site, follow, sign_in_by_code

RESCUER = "13937100001"  # of the sample city, off duty to begin with
NEAR = {"longitude": IN_THE_CITY["longitude"] + 0.004, "latitude": IN_THE_CITY["latitude"] + 0.002}


def _picture() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (400, 300), "green").save(content, "JPEG")
    return content.getvalue()


@pytest.fixture
def rescuers_phone(new_page: NewPage, site: Site) -> Callable[[], Page]:
    """Signed in by a code by text message, as everyone does who works outdoors."""

    def make() -> Page:
        page = new_page(PHONE, position=NEAR)
        sign_in_by_code(page, site, RESCUER, "/rescue/duty/")
        return page

    return make


def test_a_rider_is_helped_while_the_desk_looks_on(new_page: NewPage, rescuers_phone: Callable[[], Page]) -> None:
    helper = rescuers_phone()
    follow(helper, helper.get_by_role("button", name="上岗"))
    expect(helper.get_by_text("在岗中")).to_be_visible()

    rider = new_page(PHONE, position=IN_THE_CITY)
    rider.goto("/rescue/")
    expect(rider.locator("[data-part=position]")).to_contain_text("已定位")
    expect(rider.locator("[data-part=accident]")).to_be_hidden()
    rider.locator("label.rescue-tile", has_text="交通事故").click()
    expect(rider.locator("a[href='tel:120']")).to_be_visible()
    rider.locator("label.rescue-tile", has_text="刹车").click()
    rider.fill("input[name=contact_phone]", "13800138222")
    # The first attempt finds no network: the call waits on the phone and goes out by itself, once.
    rider.context.set_offline(True)
    rider.get_by_role("button", name="呼叫救援").click()
    expect(rider.locator("[data-part=waiting]")).to_contain_text("没有网络")
    rider.context.set_offline(False)
    rider.wait_for_url("**/rescue/c/**")

    # Whoever is nearest is asked; the sample's repair points stand further away. Two riders of the sample wait, too.
    offered = helper.locator(".rescue-offer")
    for _call in range(3):
        expect(offered).to_have_count(1)
        if "刹车" in offered.inner_text():
            break
        follow(helper, offered.get_by_role("button", name="这次不去"))
    follow(helper, offered.get_by_role("button", name="接单"))
    expect(rider.locator(".rescue-who")).to_contain_text("李师傅")
    expect(rider.locator(".rescue-minutes")).to_contain_text("分钟")

    desk = new_page(DESK, signed_in="admin")
    desk.goto("/desk/rescue/")
    row = desk.locator("tr[data-call]", has_text="李师傅")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("138****8222")

    follow(helper, helper.get_by_role("button", name="我出发了"))
    follow(helper, helper.get_by_role("button", name="我到了"))
    expect(rider.get_by_text("救援员已到场")).to_be_visible()
    helper.locator("input[type=file]").set_input_files(
        {"name": "x.jpg", "mimeType": "image/jpeg", "buffer": _picture()}
    )
    follow(helper, helper.get_by_role("button", name="修好了", exact=True))
    follow(rider, rider.get_by_role("button", name="修好了", exact=True))
    expect(rider.get_by_text("骑手确认修好")).to_be_visible()
    follow(helper, helper.get_by_role("button", name="下岗"))
    expect(helper.get_by_text("您的位置已清除")).to_be_visible()


def test_pages_of_rescue_fit_the_screen(new_page: NewPage, size: dict[str, int]) -> None:
    page = new_page(size, position=IN_THE_CITY, signed_in="admin")
    for path in ("/rescue/", "/desk/rescue/", "/desk/rescue/history/", "/desk/rescue/rescuers/"):
        page.goto(path)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
