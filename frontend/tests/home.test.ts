import { describe, expect, test, vi } from "vitest";
import { along, answers, filtersOf, type MapPlace, placesFrom } from "../src/home/api";
import { stateOf } from "../src/home/entries";
import { keptFrom, placesThen, stateThen } from "../src/home/kept";
import { metresBetween } from "../src/home/metres";
import { distance, savedAt, say } from "../src/words";

const WORDS = {
  state_open: "全天开放",
  state_open_today: "开放中，{time} 关门",
  state_open_tomorrow: "开放中，明天 {time} 关门",
  state_open_later: "开放中，{month} 月 {day} 日 {time} 关门",
  state_closed: "休息中",
  state_closed_today: "休息中，{time} 开门",
  state_closed_tomorrow: "休息中，明天 {time} 开门",
  state_closed_later: "休息中，{month} 月 {day} 日 {time} 开门",
  state_unknown: "开放时间不详",
  metres: "{n} 米",
  kilometres: "{n} 公里",
};
const PLACE: MapPlace = {
  id: "a",
  name: "东广场工会驿站",
  kind: "station",
  lon: 113.66,
  lat: 34.75,
  state: "yes",
  changes_at: null,
  offers: ["water"],
};
const NONE = { text: "", open: false, kind: "", offer: "" };
const at = (text: string) => Date.parse(text) / 1000;

describe("the state of a place", () => {
  const now = new Date("2026-05-13T20:00:00+08:00");

  test("is said with the time in Shanghai, wherever the phone thinks it is", () => {
    expect(stateOf(WORDS, { state: "yes", changes_at: at("2026-05-13T21:00:00+08:00") }, now)).toEqual([
      "开放中，21:00 关门",
      "good",
    ]);
  });
  test("warns in the last half hour, the half hour itself included", () => {
    expect(stateOf(WORDS, { state: "yes", changes_at: at("2026-05-13T20:30:00+08:00") }, now)[1]).toBe(
      "warn",
    );
    expect(stateOf(WORDS, { state: "yes", changes_at: at("2026-05-13T20:30:01+08:00") }, now)[1]).toBe(
      "good",
    );
  });
  test("names tomorrow, also across a month and a year", () => {
    const lastDay = new Date("2026-12-31T23:30:00+08:00");
    expect(stateOf(WORDS, { state: "no", changes_at: at("2027-01-01T08:00:00+08:00") }, lastDay)[0]).toBe(
      "休息中，明天 08:00 开门",
    );
  });
  test("names the day when it is later", () => {
    expect(stateOf(WORDS, { state: "no", changes_at: at("2026-05-18T08:30:00+08:00") }, now)[0]).toBe(
      "休息中，5 月 18 日 08:30 开门",
    );
  });
  test("midnight is 00:00 of the next day", () => {
    expect(stateOf(WORDS, { state: "yes", changes_at: at("2026-05-14T00:00:00+08:00") }, now)[0]).toBe(
      "开放中，明天 00:00 关门",
    );
  });
  test("unknown hours are neither open nor closed", () => {
    expect(stateOf(WORDS, { state: "unknown", changes_at: null }, now)).toEqual(["开放时间不详", "neutral"]);
  });
  test("open around the clock has no time", () => {
    expect(stateOf(WORDS, { state: "yes", changes_at: null }, now)).toEqual(["全天开放", "good"]);
  });
});

describe("filters", () => {
  test("are read from the address as the server reads them", () => {
    expect(filtersOf("?q=%20站&open=now&kind=station&offer=water")).toEqual({
      text: "站",
      open: true,
      kind: "station",
      offer: "water",
    });
    expect(filtersOf("?open=maybe")).toEqual(NONE);
  });
  test.each([
    [{ ...NONE }, true],
    [{ ...NONE, open: true }, true],
    [{ ...NONE, kind: "restaurant" }, false],
    [{ ...NONE, offer: "water" }, true],
    [{ ...NONE, offer: "charging" }, false],
  ])("%o keeps the place: %s", (filters, kept) => {
    expect(answers(PLACE, filters)).toBe(kept);
  });
  test("open means certainly open", () => {
    expect(answers({ ...PLACE, state: "unknown" }, { ...NONE, open: true })).toBe(false);
  });
});

test("the map's columns become places", () => {
  const { places, total } = placesFrom({
    total: 1,
    offer_codes: ["aed", "water"],
    places: [["a", "东广场工会驿站", "station", 113.66, 34.75, "yes", null, [1]]],
  });
  expect(total).toBe(1);
  expect(places).toEqual([PLACE]);
});

describe("distances", () => {
  test.each([
    [0, "10 米"],
    [184, "180 米"],
    [994, "990 米"],
    [996, "1 公里"],
    [1000, "1 公里"],
    [1449, "1.4 公里"],
    [23_870, "23.9 公里"],
  ])("%d m read as %s", (metres, words) => {
    expect(distance(WORDS, metres)).toBe(words);
  });
  test("a degree of latitude is 111.2 km", () => {
    expect(metresBetween(113, 34, 113, 35)).toBeCloseTo(111_195, -1);
  });
  test("a place is no distance from itself, and opposite points are half the globe apart", () => {
    expect(metresBetween(113.66, 34.75, 113.66, 34.75)).toBe(0);
    expect(metresBetween(0, 0, 180, 0)).toBeCloseTo(Math.PI * 6_371_008.8, 0);
  });
});

test("a sentence that the template forgot shows its name, not an error", () => {
  expect(say({}, "nearest_count", { n: 3 })).toBe("nearest_count");
});

describe("places kept for later", () => {
  const KEPT = { ...PLACE, address: "", url: "/places/a/" };
  const saved = at("2026-05-13T20:00:00+08:00");
  const times: [number, number][] = [
    [at("2026-05-13T08:00:00+08:00"), at("2026-05-13T22:00:00+08:00")],
    [at("2026-05-14T08:00:00+08:00"), at("2026-05-14T22:00:00+08:00")],
  ];
  test.each([
    ["2026-05-13T21:00:00+08:00", "yes", times[0]?.[1]],
    ["2026-05-13T22:00:00+08:00", "no", times[1]?.[0]],
    ["2026-05-14T09:00:00+08:00", "yes", times[1]?.[1]],
    ["2026-05-14T23:00:00+08:00", "no", null],
    ["2026-05-21T09:00:00+08:00", "unknown", null],
  ])("at %s are %s by the hours known then", (now, state, changes_at) => {
    expect(stateThen({ ...KEPT, times }, saved, at(now))).toEqual({ state, changes_at });
  });
  test("what never closes stays open, what nobody knew stays unknown", () => {
    const always = { ...KEPT, times: [[-(2 ** 53), 2 ** 53]] as [number, number][] };
    expect(stateThen(always, saved, saved + 30 * 86_400).state).toBe("yes");
    expect(stateThen({ ...KEPT, state: "unknown", times: [] }, saved, saved).state).toBe("unknown");
    expect(stateThen(KEPT, saved, saved).state).toBe("unknown");
  });
  test("are read only in the form of this release", () => {
    const memory = { saved_at: saved, places: [{ ...KEPT, times }] };
    expect(keptFrom(memory)).toEqual(memory);
    expect(placesThen(memory, at("2026-05-13T23:00:00+08:00"))[0]?.state).toBe("no");
    expect(keptFrom({ places: [] })).toBeNull();
    expect(keptFrom(null)).toBeNull();
  });
  test("say when they were saved, with the day when it is another", () => {
    const words = { saved_today: "{time} 保存", saved_on: "{month} 月 {day} 日 {time} 保存" };
    expect(savedAt(words, saved, new Date("2026-05-13T23:00:00+08:00"))).toBe("20:00 保存");
    expect(savedAt(words, saved, new Date("2026-05-14T00:01:00+08:00"))).toBe("5 月 13 日 20:00 保存");
  });
});

describe("stations along a way", () => {
  test("are asked for by rounded corners, with the filters, half a kilometre to each side", async () => {
    const asked: URL[] = [];
    vi.stubGlobal("location", { href: "https://yizhan.example/" });
    vi.stubGlobal("fetch", async (address: URL) => {
      asked.push(address);
      return new Response(JSON.stringify({ total: 0, places: [] }));
    });
    const way: [number, number][] = [
      [113.665_012, 34.757],
      [113.7, 34.76],
    ];
    await along("/api/places/along-route", way, { ...NONE, open: true, kind: "station" });
    vi.unstubAllGlobals();
    const query = Object.fromEntries(asked[0]?.searchParams ?? []);
    expect(query).toEqual({
      route: "113.6650,34.7570;113.7000,34.7600",
      datum: "WGS-84",
      open: "now",
      kinds: "station",
      corridor_m: "500",
      limit: "50",
    });
  });
});
