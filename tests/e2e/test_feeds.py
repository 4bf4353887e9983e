"""Stations on other people's maps: the map for frames, and a partner from its preset to its first place."""

from __future__ import annotations

import json
import re
import time

from playwright.sync_api import expect

from tests.feeds.pushes import Receiver, serving

from .conftest import DESK, PHONE, NewPage
from .test_shell_accessibility import findings


def test_the_embedded_map_shows_stations(new_page: NewPage) -> None:
    page = new_page({"width": 800, "height": 600})
    page.goto("/embed/?kind=station")
    expect(page.locator("[data-part=said]")).to_have_text(re.compile("^这里有 [1-9][0-9]* 个驿站$"), timeout=60_000)
    assert findings(page) == []


def test_a_partner_is_added_tried_and_gets_the_places(new_page: NewPage) -> None:
    name = f"试推送{time.time_ns() % 1_000_000}（模拟）"
    with serving(Receiver()) as receiver:
        page = new_page(DESK, signed_in="admin")
        found = {}

        def look(where: str) -> None:
            found[where] = findings(page)

        page.goto("/desk/partners/new/")
        look("choose")
        page.get_by_role("link", name="12351").click()
        look("form")
        page.get_by_label("名称", exact=True).fill(name)
        page.locator("input[name=address]").fill(receiver.url)
        page.locator("form.form button.button-primary").click()
        expect(page.locator("main")).to_contain_text("yzf_")
        page.locator("main a.button-primary").click()
        page.get_by_role("button", name="发送测试").click()
        expect(page.locator("main")).to_contain_text("HTTP 200")
        look("partner")
        end = time.monotonic() + 60
        while not receiver.shown() and time.monotonic() < end:
            time.sleep(0.2)
        shown = receiver.shown()
        assert shown
        assert all("signature" in json.dumps(list(headers)) for headers, _body, _path in receiver.got)
        for path in ("listings", "red", "coverage"):
            page.goto(f"/desk/partners/{path}/")
            look(path)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        expect(page.locator("main")).to_contain_text(name)
        assert {where: each for where, each in found.items() if each} == {}
        page.set_viewport_size(PHONE)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
