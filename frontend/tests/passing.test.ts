import { describe, expect, test } from "vitest";
import vectors from "../../tests/passage/vectors/passages.json";
import { type Around, PassingRule } from "../src/passing/rule";

type Row = [
  time: number,
  lon: number | string,
  lat: number | string,
  accuracy: number | string,
  asked: number[],
];
type Vector = Around & { pings: Row[]; reminders: [string, number, number][] };

const VECTORS = vectors as unknown as Vector[];

describe("the rule in the browser", () => {
  test.each(VECTORS.map((vector, at) => [at, vector] as const))(
    "gives the reminders of vector %i",
    (_, vector) => {
      const rule = new PassingRule(vector);
      const found = vector.pings.flatMap(([time, lon, lat, accuracy, asked]) => {
        const reminder = rule.feed({
          time,
          lon: Number(lon),
          lat: Number(lat),
          accuracy: Number(accuracy),
          asked,
        });
        return reminder ? [[reminder.station, reminder.time, reminder.distance]] : [];
      });
      expect(found).toEqual(vector.reminders);
    },
  );

  test("goes on from what it was told after the page was closed, and remembers no position", () => {
    const vector = VECTORS.find(
      (each) => each.reminders.length > 2 && each.rules.every((rule) => rule.max_segment_gap_ms === 0),
    );
    if (!vector) throw new Error("no vector without paths");
    let rule = new PassingRule(vector);
    const found: unknown[] = [];
    for (const [time, lon, lat, accuracy, asked] of vector.pings) {
      rule = new PassingRule(vector, rule.remembered());
      const reminder = rule.feed({
        time,
        lon: Number(lon),
        lat: Number(lat),
        accuracy: Number(accuracy),
        asked,
      });
      if (reminder) found.push([reminder.station, reminder.time, reminder.distance]);
      for (const told of rule.remembered()) expect(Object.keys(told)).toEqual(["station", "time"]);
    }
    expect(found).toEqual(vector.reminders);
  });
});
