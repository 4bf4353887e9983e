import { describe, expect, test } from "vitest";
import { boxAround, Movement } from "../src/live/movement";

const AT = "2026-11-24T08:00:00Z";

describe("movement", () => {
  test("a vehicle appears where it is reported", () => {
    const movement = new Movement();
    movement.take({ at: AT, vehicles: [["a", 113.6, 34.7]] }, 0);
    expect(movement.at(0)).toEqual([[113.6, 34.7]]);
  });
  test("it glides to the next report and stays there", () => {
    const movement = new Movement();
    movement.take({ at: AT, vehicles: [["a", 113.6, 34.7]] }, 0);
    movement.take({ at: AT, vehicles: [["a", 113.601, 34.7]] }, 500);
    const [half] = movement.at(750);
    expect(half?.[0]).toBeCloseTo(113.6005, 4);
    expect(movement.at(1500)).toEqual([[113.601, 34.7]]);
    expect(movement.at(60_000)).toEqual([[113.601, 34.7]]);
  });
  test("a report in mid-glide goes on from where the vehicle is shown", () => {
    const movement = new Movement();
    movement.take({ at: AT, vehicles: [["a", 113.6, 34.7]] }, 0);
    movement.take({ at: AT, vehicles: [["a", 113.602, 34.7]] }, 500);
    const [before] = movement.at(700);
    movement.take({ at: AT, vehicles: [["a", 113.602, 34.701]] }, 700);
    expect(movement.at(700)[0]?.[0]).toBeCloseTo(before?.[0] ?? 0, 9);
  });
  test("a far jump is a new trip, not a flight across the city", () => {
    const movement = new Movement();
    movement.take({ at: AT, vehicles: [["a", 113.6, 34.7]] }, 0);
    movement.take({ at: AT, vehicles: [["a", 113.8, 34.9]] }, 500);
    expect(movement.at(501)).toEqual([[113.8, 34.9]]);
  });
  test("who has gone is gone, and unknown ones may go", () => {
    const movement = new Movement();
    movement.take(
      {
        at: AT,
        vehicles: [
          ["a", 113.6, 34.7],
          ["b", 113.6, 34.7],
        ],
      },
      0,
    );
    movement.take({ at: AT, vehicles: [], gone: ["a", "z"] }, 500);
    expect(movement.size).toBe(1);
  });
  test("after a break everything is told anew", () => {
    const movement = new Movement();
    movement.take({ at: AT, vehicles: [["a", 113.6, 34.7]] }, 0);
    movement.clear();
    expect(movement.at(1)).toEqual([]);
  });
});

test("a box is around all positions, or there is none", () => {
  expect(boxAround([])).toBeNull();
  expect(
    boxAround([
      [113, 34],
      [112, 35],
    ]),
  ).toEqual([112, 34, 113, 35]);
});
