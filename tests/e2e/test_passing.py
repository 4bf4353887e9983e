"""Reminders on the phone itself: the rule in a real browser, and no word of where the phone is."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
from playwright.sync_api import expect

from tests.e2e.conftest import IN_THE_CITY, NewPage, Site
from tests.passage.vectors.write import FILE
from yizhan.web.templatetags.vite import MANIFEST

JUDGE = """async ([address, vectors]) => {
  const { PassingRule } = await import(address);
  return vectors.map((vector) => {
    const rule = new PassingRule(vector);
    return vector.pings.flatMap(([time, lon, lat, accuracy, asked]) => {
      const ping = { time, lon: Number(lon), lat: Number(lat), accuracy: Number(accuracy), asked };
      const reminder = rule.feed(ping);
      return reminder ? [[reminder.station, reminder.time, reminder.distance]] : [];
    });
  });
}"""


def test_the_rule_in_a_real_browser_gives_the_reminders_of_the_vectors(new_page: NewPage, site: Site) -> None:
    vectors: list[dict[str, Any]] = json.loads(FILE.read_text("utf-8"))
    rule = json.loads(MANIFEST.read_text("utf-8"))["src/passing/rule.ts"]["file"]
    page = new_page()
    page.goto("/passing/")

    found = page.evaluate(JUDGE, [f"/static/web/built/{rule}", vectors])

    assert found == [vector["reminders"] for vector in vectors]


def test_a_phone_near_an_open_station_is_reminded_and_tells_nobody_where_it_is(new_page: NewPage, site: Site) -> None:
    station = _an_open_station(site)
    lon, lat = round(station["lon"] + 0.00013, 6), round(station["lat"] + 0.00007, 6)
    page = new_page(position={**IN_THE_CITY, "longitude": lon - 0.2, "latitude": lat, "accuracy": 5})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
    page.goto("/passing/")

    page.get_by_role("switch").check()
    expect(page.locator("[data-passing]")).to_have_attribute("data-state", "running")
    page.context.set_geolocation({"longitude": lon, "latitude": lat, "accuracy": 5})
    entry = page.locator("[data-part=list] li").first
    expect(entry).to_contain_text(station["name"])

    # Once told, not again; and a page that is opened anew goes on by itself.
    page.reload()
    expect(page.locator("[data-passing]")).to_have_attribute("data-state", "running")
    expect(page.locator("[data-part=list] li")).to_have_count(1)
    page.get_by_role("switch").uncheck()
    expect(page.locator("[data-passing]")).to_have_attribute("data-state", "off")
    kept = page.evaluate("JSON.stringify(localStorage)")
    for place in (f"{lon:.3f}", f"{lat:.3f}", f"{lon - 0.2:.3f}"):
        assert not any(place in each for each in [*asked, kept]), place
    assert any("/api/live/stations/" in each for each in asked)


def _an_open_station(site: Site) -> dict[str, Any]:
    tile = httpx.get(f"{site.address}/api/live/stations/227_69", timeout=20).json()
    now = int(time.time())
    for station in tile["stations"]:
        open_now = any(start <= now and now + 600 < end for start, end in tile["hours"][station["hours"]])
        rule = tile["rules"][station["rule"]]
        if open_now and rule["quiet_from_ms"] == rule["quiet_until_ms"] and rule["still_open_s"] == 0:
            return dict(station)
    raise AssertionError("no station of the sample city is open now")
