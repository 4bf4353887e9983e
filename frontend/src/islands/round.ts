/** A round on the map: its stops numbered in their order, and the way between them; the list beside it holds the same. */
import { wordsFrom } from "../words";

interface Stop {
  number: number;
  name: string;
  words: string;
  lon: number;
  lat: number;
  visited: boolean;
}

async function draw(root: HTMLElement, container: HTMLElement): Promise<void> {
  const [{ boundsOf, canDrawMaps, createBaseMap, wordsOfTheMap }, { addNames, FIGURES }] = await Promise.all([
    import("../map/base"),
    import("../map/marks"),
  ]);
  if (!canDrawMaps()) throw new Error("no WebGL");
  const stops = JSON.parse(document.getElementById("round-stops")?.textContent ?? "[]") as Stop[];
  const map = await createBaseMap({
    container,
    tiandituKey: root.dataset.tianditu,
    reviewNumber: root.dataset.reviewNumber,
    bounds: boundsOf(
      stops.map(({ lon, lat }) => [lon, lat]),
      0.01,
    ),
    words: wordsOfTheMap(wordsFrom("round-map-words")),
  });
  map.addSource("round-way", {
    type: "geojson",
    data: {
      type: "Feature",
      properties: {},
      geometry: { type: "LineString", coordinates: stops.map(({ lon, lat }) => [lon, lat]) },
    },
  });
  map.addSource("round-stops", {
    type: "geojson",
    data: {
      type: "FeatureCollection",
      features: stops.map(({ number, name, words: kind, lon, lat, visited }) => ({
        type: "Feature",
        properties: { number: String(number), name, kind, visited },
        geometry: { type: "Point", coordinates: [lon, lat] },
      })),
    },
  });
  map.addLayer({
    id: "round-way",
    type: "line",
    source: "round-way",
    paint: { "line-color": "#1b5089", "line-width": 3, "line-dasharray": [2, 1.5] },
  });
  addNames(map, "round-stops", { minzoom: 0 });
  map.addLayer({
    id: "round-points",
    type: "circle",
    source: "round-stops",
    paint: {
      "circle-radius": 13,
      "circle-color": ["case", ["get", "visited"], "#0b6247", "#1b5089"],
      "circle-stroke-color": "#fff",
      "circle-stroke-width": 2.5,
    },
  });
  map.addLayer({
    id: "round-numbers",
    type: "symbol",
    source: "round-stops",
    layout: { ...FIGURES.layout, "text-field": ["get", "number"], "text-allow-overlap": true },
    paint: FIGURES.paint,
  });
}

for (const root of document.querySelectorAll<HTMLElement>("[data-round-map]")) {
  const container = root.querySelector<HTMLElement>('[data-part="map"]');
  const without = root.querySelector<HTMLElement>('[data-part="no-map"]');
  if (!container || !without) continue;
  draw(root, container).catch((reason: unknown) => {
    console.warn("No map:", reason);
    container.hidden = true;
    without.hidden = false;
  });
}
