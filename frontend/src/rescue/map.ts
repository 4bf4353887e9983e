/** A map with few marks that move. */
import { Marker } from "maplibre-gl";
import { canDrawMaps, createBaseMap, wordsOfTheMap } from "../map/base";
import type { Words } from "../words";

export type Position = [lon: number, lat: number];
export const COLOURS = { rider: "#b3211b", rescuer: "#0b6247", busy: "#1b5089", quiet: "#5b6672" };

/** Draw a map into the `data-part=map` of the root, around positions. */
export async function drawMap(
  root: HTMLElement,
  words: Words,
  around: Position[],
): Promise<import("maplibre-gl").Map> {
  const container = root.querySelector<HTMLElement>("[data-part=map]");
  if (!container || !canDrawMaps()) throw new Error("no map on this device");
  container.hidden = false;
  const map = await createBaseMap({
    container,
    tiandituKey: root.dataset.tianditu,
    reviewNumber: root.dataset.reviewNumber,
    bounds: around.length ? frame(around) : undefined,
    words: wordsOfTheMap(words),
  });
  container.dataset.state = "drawn";
  return map;
}

/** A box around positions, never smaller than some streets. */
export function frame(positions: Position[]): [number, number, number, number] {
  const lons = positions.map(([lon]) => lon);
  const lats = positions.map(([, lat]) => lat);
  return [
    Math.min(...lons) - 0.006,
    Math.min(...lats) - 0.006,
    Math.max(...lons) + 0.006,
    Math.max(...lats) + 0.006,
  ];
}

/** A named mark. */
export function mark(
  map: import("maplibre-gl").Map,
  at: Position,
  name: string,
  options: { color: string; draggable?: boolean },
): Marker {
  const made = new Marker(options).setLngLat(at).addTo(map);
  made.getElement().setAttribute("aria-label", name);
  made.getElement().title = name;
  return made;
}
