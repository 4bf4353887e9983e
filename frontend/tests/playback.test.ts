import { describe, expect, test } from "vitest";
import { csvOf, type Day, positionAt, secondsOf, spanOf, timeOfDay } from "../src/playback/day";

const DAY: Day = {
  day: "2026-11-23",
  vehicles: [
    {
      name: "=骑手",
      way: [
        [113.6, 34.7, 100],
        [113.61, 34.7, 110],
        [113.7, 34.7, 5000],
      ],
    },
    { name: "乙", way: [] },
  ],
  stations: [],
  encounters: [
    {
      vehicle: 0,
      station: -1,
      place: "枫杨驿站",
      at: 105,
      distance: 80,
      outcome: "CLOSED",
      said: "未开放",
      why: '"关"',
    },
  ],
};

describe("a played-back day", () => {
  test("lasts from the first position to the last", () => expect(spanOf(DAY)).toEqual([100, 5000]));
  test("a vehicle glides between two positions and is nowhere before, after and in a long silence", () => {
    const way = DAY.vehicles[0]?.way ?? [];
    expect(positionAt(way, 105)?.[0]).toBeCloseTo(113.605, 9);
    expect([positionAt(way, 99), positionAt(way, 111), positionAt(way, 5001)]).toEqual([null, null, null]);
    expect(positionAt(way, 5000)).toEqual([113.7, 34.7]);
    expect(secondsOf(DAY, 100)).toEqual([{ vehicle: 0, at: [113.6, 34.7] }]);
  });
  test("seconds read as a time of day", () => expect(timeOfDay(11 * 3600 + 65)).toBe("11:01:05"));
  test("the saved list tells of places and reasons, of no position, and holds no formula", () => {
    const csv = csvOf(DAY, ["站点", "时间", "车辆", "距离", "结果", "原因"]);
    expect(csv).toContain(`"枫杨驿站","00:01:45","'=骑手","80","未开放","""关"""`);
    expect(csv).not.toContain("113.");
  });
});
