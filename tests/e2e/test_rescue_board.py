"""The duty desk's board in a browser: a call is dragged onto a rescuer, and sent to another by dragging it again."""

from __future__ import annotations

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.e2e.conftest import DESK, PHONE, NewPage


def _box(what: Locator) -> FloatRect:
    """Where it stands; the page follows by itself, and may be drawn anew while it is looked for."""
    for _attempt in range(20):
        expect(what).to_be_visible()
        if found := what.bounding_box():
            return found
    pytest.fail(f"{what} does not stand still")


def _drag(page: Page, what: Locator, onto: Locator) -> str:
    """Drag and say yes; gives the question that was asked."""
    asked: list[str] = []

    def answer(dialog: object) -> None:
        asked.append(dialog.message)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.once("dialog", answer)
    start, end = _box(what), _box(onto)
    with page.expect_navigation():
        page.mouse.move(start["x"] + start["width"] - 8, start["y"] + 12)
        page.mouse.down()
        # As a hand does: a browser that sees no way between takes it for a click.
        page.mouse.move(start["x"] + start["width"] + 20, start["y"] + 30, steps=5)
        page.mouse.move(end["x"] + 30, end["y"] + end["height"] / 2, steps=10)
        page.mouse.up()
    return asked[0]


def test_a_call_is_sent_by_dragging_it_and_sent_to_another_in_the_same_way(new_page: NewPage) -> None:
    desk = new_page({"width": 1440, "height": 1600}, signed_in="admin")
    desk.goto("/desk/rescue/")
    row = desk.locator("tr[data-call][draggable=true]").first
    call = row.get_attribute("data-call")
    free = desk.locator("li[data-rescuer]:not([data-full])", has_text="修车")
    for number in (0, 1):
        name = free.nth(number).inner_text().split("\n")[0].rsplit(" ", 1)[0].strip()
        chip = free.filter(has_text=name)
        question = _drag(desk, desk.locator(f"tr[data-call='{call}'] th"), chip)
        assert name in question
        expect(desk.locator(f"tr[data-call='{call}'] td").nth(2)).to_contain_text(name)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_pages_of_subsidies_fit_the_screen(new_page: NewPage, size: dict[str, int]) -> None:
    page = new_page(size, signed_in="admin")
    for address in ("/desk/rescue/subsidies/", "/desk/rescue/subsidies/new/", "/desk/rescue/history/"):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        wide = page.locator("html").evaluate("page => page.scrollWidth - page.clientWidth")
        assert wide <= 0, address
