/**
 * Places on a map as every page shows them: alone with a name that makes room for its neighbours, together as a number
 * that opens when it is tapped, and a card for the one that was chosen.
 */
import type { FeatureCollection } from "geojson";
import {
  type ExpressionSpecification,
  type GeoJSONSourceSpecification,
  type LngLat,
  type MapGeoJSONFeature,
  type Map as MapLibreMap,
  Popup,
  type SymbolLayerSpecification,
} from "maplibre-gl";
import { source } from "./base";

export const NOTHING: FeatureCollection = { type: "FeatureCollection", features: [] };
export const ALONE: ExpressionSpecification = ["!", ["has", "point_count"]];
const TOGETHER: ExpressionSpecification = ["has", "point_count"];
const ALONE_FROM_ZOOM = 13;

/** White figures in the midst of a circle. */
export const FIGURES = {
  layout: { "text-font": ["sans"], "text-size": 14 },
  paint: { "text-color": "#fff" },
} satisfies Partial<SymbolLayerSpecification>;

/** Places as points that stand together while one looks from afar. */
export function addPlaces(
  map: MapLibreMap,
  id: string,
  options: { data?: FeatureCollection; together?: GeoJSONSourceSpecification["clusterProperties"] } = {},
): void {
  map.addSource(id, {
    type: "geojson",
    data: options.data ?? NOTHING,
    cluster: true,
    clusterRadius: 38,
    clusterMaxZoom: ALONE_FROM_ZOOM - 1,
    ...(options.together ? { clusterProperties: options.together } : {}),
  });
}

/** Circles with the number of the places that stand together there. */
export function addClusters(map: MapLibreMap, id: string, colour: string | ExpressionSpecification): void {
  map.addLayer({
    id: `${id}-clusters`,
    type: "circle",
    source: id,
    filter: TOGETHER,
    paint: {
      "circle-color": colour,
      "circle-radius": ["step", ["get", "point_count"], 16, 10, 19, 100, 24, 1000, 29],
      "circle-stroke-color": "rgba(255, 255, 255, 0.85)",
      "circle-stroke-width": 3,
    },
  });
  map.addLayer({
    id: `${id}-counts`,
    type: "symbol",
    source: id,
    filter: TOGETHER,
    layout: { ...FIGURES.layout, "text-field": ["get", "point_count_abbreviated"] },
    paint: FIGURES.paint,
  });
}

/**
 * Names below the points, and with `words` what else is to be said of each, in a colour of its own. They are drawn only
 * where there is room; layers added later take theirs first.
 */
export function addNames(
  map: MapLibreMap,
  id: string,
  options: { words?: string; colour?: ExpressionSpecification; minzoom?: number } = {},
): void {
  const { words, colour } = options;
  const more = colour ? { "font-scale": 0.85, "text-color": colour } : { "font-scale": 0.85 };
  map.addLayer({
    id: `${id}-names`,
    type: "symbol",
    source: id,
    minzoom: options.minzoom ?? ALONE_FROM_ZOOM,
    filter: ALONE,
    layout: {
      "text-field": words ? ["format", ["get", "name"], {}, "\n", {}, ["get", words], more] : ["get", "name"],
      "text-font": ["sans"],
      "text-size": 13,
      "text-anchor": "top",
      "text-offset": [0, 1.5], // clear of the drawing: two that touch are not both drawn
      "text-max-width": 10,
      "text-optional": true,
    },
    paint: { "text-color": "#17212b", "text-halo-color": "#fff", "text-halo-width": 1.8 },
  });
}

/** What is drawn there of places: one of them, or a number that opens and is answered with null. */
export async function tapped(
  map: MapLibreMap,
  id: string,
  event: { point: import("maplibre-gl").Point; lngLat: LngLat },
): Promise<MapGeoJSONFeature["properties"] | undefined | null> {
  const [hit] = map.queryRenderedFeatures(event.point, { layers: [`${id}-clusters`, `${id}-points`] });
  if (hit?.properties.cluster_id === undefined) return hit?.properties;
  const zoom = await source(map, id)?.getClusterExpansionZoom(Number(hit.properties.cluster_id));
  map.easeTo({ center: event.lngLat, zoom: zoom ?? map.getZoom() + 2 });
  return null;
}

/** A hand over what can be tapped. */
export function showWhatCanBeTapped(map: MapLibreMap, id: string): void {
  for (const layer of [`${id}-clusters`, `${id}-points`]) {
    map.on("mouseenter", layer, () => {
      map.getCanvas().style.cursor = "pointer";
    });
    map.on("mouseleave", layer, () => {
      map.getCanvas().style.cursor = "";
    });
  }
}

/** A card at a position, in place of the one before. */
export class Cards {
  private shown: Popup | null = null;

  constructor(private readonly map: MapLibreMap) {}

  show(content: HTMLElement, lon: number, lat: number): void {
    this.hide();
    this.shown = new Popup({ closeButton: false, focusAfterOpen: false, maxWidth: "17rem", offset: 12 })
      .setLngLat([lon, lat])
      .setDOMContent(content)
      .addTo(this.map);
  }

  hide(): void {
    this.shown?.remove();
  }
}

/** What stands in a place's card: its name, which leads to it, and lines. */
export function cardOf(
  name: string,
  url: string,
  lines: { text: string; className?: string }[],
  options: { beside?: boolean } = {},
): HTMLElement {
  const card = document.createElement("div");
  card.className = "map-card";
  const link = document.createElement("a");
  link.href = url;
  link.textContent = name;
  if (options.beside) {
    link.target = "_blank";
    link.rel = "noopener";
  }
  card.append(
    link,
    ...lines.map(({ text, className = "" }) => {
      const line = document.createElement("span");
      line.className = className;
      line.textContent = text;
      return line;
    }),
  );
  return card;
}
