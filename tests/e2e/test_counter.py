"""A worker's phone and a cashier's phone, each in a browser of its own: the camera sees what the other's screen shows.

The camera is a stream of a canvas that shows pictures of the worker's screen; everything behind it is the real page:
decoder, signatures, server, service worker, queue.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.benefits.carriers import ASKS, PAYS, StandIn

from .conftest import PHONE, WORKER_IS_ACTIVE, NewPage, Site, sign_in_by_code, until

# Before the page's own script: a camera whose picture the test holds up to it.
CAMERA = """
(() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 720;
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#999';
  pen.fillRect(0, 0, 720, 720);
  window.holdUp = async (picture) => {
    const image = new Image();
    image.src = picture;
    await image.decode();
    pen.fillStyle = '#999';
    pen.fillRect(0, 0, 720, 720);
    const scale = 560 / Math.max(image.width, image.height);
    pen.drawImage(image, 80, 80, image.width * scale, image.height * scale);
  };
  window.putAway = () => {
    pen.fillStyle = '#999';
    pen.fillRect(0, 0, 720, 720);
  };
  // A canvas that nobody draws on sends no frames.
  setInterval(() => { pen.fillStyle = '#999'; pen.fillRect(0, 0, 2, 2); }, 60);
  const stream = () => canvas.captureStream(15);
  Object.defineProperty(navigator, 'mediaDevices', { value: {
    getUserMedia: async () => stream(),
    enumerateDevices: async () => [{ kind: 'videoinput', label: 'test', deviceId: 'test' }],
  } });
})();
"""


@pytest.fixture
def workers_phone(new_page: NewPage, site: Site) -> Callable[[str], Page]:
    """`workers_phone("13800138801")`: signed in by a code by text message, as a worker does, and showing a code."""

    def make(number: str) -> Page:
        page = new_page(PHONE, service_workers="allow")
        sign_in_by_code(page, site, number, "/meals/code/")
        expect(page.locator("[data-part=show]")).to_be_visible()
        expect(page.locator("[data-part=code]")).to_have_attribute("data-step", re.compile(r"\d+"))
        return page

    return make


def _counter(new_page: NewPage, site: Site) -> Page:
    page = new_page(PHONE, service_workers="allow")
    page.add_init_script(CAMERA)
    sign_in_at_counter(page, site)
    expect(page.locator("[data-part=work]")).to_be_visible()
    _start(page)
    return page


def _start(page: Page) -> None:
    """Choose the meal that is on offer at every hour, and switch the camera on."""
    page.locator(".counter-offer", has_text="暖心加餐").click()
    page.get_by_role("button", name="打开摄像头扫码").click()
    expect(page.locator("[data-part=video]")).to_be_visible()


def sign_in_at_counter(page: Page, site: Site) -> None:
    """As the cashier of the sample city."""
    page.goto("/accounts/login/?next=/counter/")
    page.fill("input[name=login]", "cashier")
    page.fill("input[name=password]", site.passwords["cashier"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/counter/")


def _hold_up(counter: Page, phone: Page) -> None:
    """The cashier points the camera at the worker's screen, at a code that was not shown before."""
    phone.get_by_role("button", name="换一个码").click()
    phone.wait_for_timeout(300)
    picture = phone.locator("[data-part=code]").screenshot()
    counter.evaluate("picture => holdUp(picture)", f"data:image/png;base64,{base64.b64encode(picture).decode()}")


def _answer(counter: Page, title: str) -> str:
    expect(counter.locator("[data-part=result-title]")).to_have_text(title)
    line = counter.locator("[data-part=result-line]").text_content() or ""
    counter.evaluate("putAway()")  # the worker takes the phone away: the same code is not read a second time
    counter.locator("[data-part=result]").click()
    expect(counter.locator("[data-part=result]")).to_be_hidden()
    return line


def test_a_code_is_scanned_from_screen_to_camera_with_a_network_without_one_and_back(
    new_page: NewPage, site: Site, workers_phone: Callable[[str], Page]
) -> None:
    phone = workers_phone("13800138801")
    counter = _counter(new_page, site)
    before = int(re.sub(r"\D", "", counter.locator("[data-part=today]").text_content() or "") or 0)

    _hold_up(counter, phone)
    assert "工友付 5 元" in _answer(counter, "核销成功")
    expect(counter.locator("[data-part=today]")).to_contain_text(f"{before + 1} 份")

    # A USB scanner types, whatever has the focus: here a voucher that nobody printed.
    counter.locator("[data-part=name]").click()
    counter.keyboard.type("8212345678901263")
    counter.keyboard.press("Enter")
    assert "不是我们的餐券" in _answer(counter, "不能核销")

    expect(counter.locator("[data-counter]")).to_have_attribute("data-kept", "kept")
    expect(phone.locator("html")).to_have_attribute("data-kept", "kept")

    # Both lose the network, and both pages are opened anew.
    until(counter, WORKER_IS_ACTIVE)
    counter.context.set_offline(True)
    phone.context.set_offline(True)
    phone.reload()
    expect(phone.locator("[data-part=show]")).to_be_visible()
    expect(phone.locator("[data-part=state]")).to_contain_text("没有网络")
    counter.reload()
    expect(counter.locator("[data-part=work]")).to_be_visible()
    expect(counter.locator("[data-part=state]")).to_contain_text("没有网络")
    _start(counter)
    _hold_up(counter, phone)
    _answer(counter, "离线核销成功")
    expect(counter.locator("[data-part=state]")).to_contain_text("1 笔")

    # Back: what waited is uploaded by itself, and the queue is said to be empty.
    counter.context.set_offline(False)
    phone.context.set_offline(False)
    expect(counter.locator("[data-part=state]")).to_contain_text("全部已上传", timeout=60_000)
    expect(counter.locator("[data-part=settled-words]")).to_contain_text("已上传：1 笔")


def test_the_workers_share_is_paid_by_phone_and_ends_paid_or_not_paid(
    new_page: NewPage, site: Site, workers_phone: Callable[[str], Page], payment_carriers: StandIn
) -> None:
    """The carriers are a stand-in on this machine, all else is real. The last payment runs into its time-out."""
    phone = workers_phone("13800138803")
    counter = _counter(new_page, site)
    today = counter.locator("[data-part=today]")

    def redeem() -> None:
        _hold_up(counter, phone)
        expect(counter.locator("[data-part=result-more]")).to_contain_text("付款码")
        _answer(counter, "核销成功")

    def scan_payment_code(code: str) -> None:
        counter.locator("[data-part=name]").click()
        counter.keyboard.type(code)
        counter.keyboard.press("Enter")

    redeem()
    scan_payment_code(PAYS)
    assert "5 元" in _answer(counter, "已付款")

    # The carrier took the money, and its answer is lost: asked again, never charged again.
    redeem()
    payment_carriers.order_fault("pay", "answer_lost")
    scan_payment_code("28" + PAYS[2:])  # of Alipay
    assert "5 元" in _answer(counter, "已付款")
    assert [order.held_fen for order in payment_carriers.orders.values()] == [500, 500]

    # The worker never enters the password: undone after a minute, and the meal with it.
    redeem()
    count = today.text_content()
    scan_payment_code(ASKS)
    expect(counter.locator("[data-part=result-line]")).to_contain_text("等工友在手机上付款")
    expect(counter.locator("[data-part=result-title]")).to_have_text("未付款", timeout=150_000)
    expect(counter.locator("[data-part=result-line]")).to_contain_text("核销已撤销")
    counter.locator("[data-part=result]").click()
    expect(counter.locator("[data-part=latest] li").first).to_contain_text("已撤")
    expect(today).not_to_have_text(count or "")
    assert [order.held_fen for order in payment_carriers.orders.values()] == [500, 500, 0]


def test_a_plate_leads_to_a_live_ticket_in_two_taps_and_the_cashier_scans_it_once(
    new_page: NewPage, site: Site, workers_phone: Callable[[str], Page]
) -> None:
    counter = _counter(new_page, site)
    place = counter.evaluate("fetch('/api/benefits/counter').then(a => a.json()).then(p => p.counters[0].id)")
    phone = workers_phone("13800138802")
    phone.goto(f"/places/{place}/")  # where the plate leads
    phone.locator(".meal-choice", has_text="暖心加餐").click()
    phone.locator("form[data-meal] button").click()
    phone.wait_for_url("**/meals/tickets/**")
    expect(phone.locator("[data-ticket]")).to_have_attribute("data-state", "live")
    word = phone.locator(".ticket-word").text_content() or ""
    assert word == counter.locator("[data-part=word]").text_content()
    picture = phone.locator("[data-part=picture]").screenshot()
    address = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    counter.evaluate("picture => holdUp(picture)", address)
    _answer(counter, "餐票有效")


def test_a_merchant_sees_today_and_a_stranger_nothing(new_page: NewPage, site: Site) -> None:
    page = new_page(PHONE)
    page.goto("/accounts/login/?next=/desk/merchant/")
    page.fill("input[name=login]", "merchant")
    page.fill("input[name=password]", site.passwords["merchant"])
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/desk/merchant/*/")
    expect(page.get_by_role("heading", name="窗口人员")).to_be_visible()
    address = page.url
    other = new_page(PHONE, signed_in="neighbour")
    assert other.goto(address).status == 404  # type: ignore[union-attr]
