import { expect, test, vi } from "vitest";

vi.mock("maplibre-gl", () => ({ setWorkerUrl: () => undefined }));
vi.mock("maplibre-gl/dist/maplibre-gl.css", () => ({}));
vi.mock("maplibre-gl/dist/maplibre-gl-worker.mjs?url", () => ({ default: "/worker.mjs" }));

const { boxesTouch, boxOf, tiandituStyle } = await import("../src/map/base");

test("Tianditu's tiles carry the operator's key, and the review number stands beside them", () => {
  const style = tiandituStyle("a&b", "GS（2024）0650号");
  const ground = style.sources.ground as { tiles: string[]; attribution: string };
  expect(ground.tiles).toHaveLength(8);
  expect(ground.tiles[0]).toContain("https://t0.tianditu.gov.cn/vec_w/wmts?");
  expect(ground.tiles[0]).toContain("&tk=a%26b");
  expect(ground.attribution).toBe("天地图 · 审图号：GS（2024）0650号");
  expect((tiandituStyle("k", undefined).sources.ground as { attribution: string }).attribution).toBe(
    "天地图",
  );
});

test("a box is around every part of a shape", () => {
  expect(
    boxOf({
      type: "MultiPolygon",
      coordinates: [
        [
          [
            [113, 34],
            [114, 34],
            [114, 35],
            [113, 34],
          ],
        ],
        [
          [
            [110, 18],
            [111, 18],
            [111, 20],
            [110, 18],
          ],
        ],
      ],
    }),
  ).toEqual([110, 18, 114, 35]);
  expect(boxOf({ type: "Point", coordinates: [1, 2] })).toEqual([1, 2, 1, 2]);
});

test("boxes touch at their edges, and not beyond", () => {
  expect(boxesTouch([0, 0, 1, 1], [1, 1, 2, 2])).toBe(true);
  expect(boxesTouch([0, 0, 1, 1], [1.01, 0, 2, 1])).toBe(false);
  expect(boxesTouch([0, 0, 9, 9], [4, 4, 5, 5])).toBe(true);
});
