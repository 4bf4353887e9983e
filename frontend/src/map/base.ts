/**
 * The map that every page shares: our own outlines, which need no network beyond this site, or Tianditu's tiles
 * where the operator has a key. All positions are WGS-84 degrees (the outlines' CGCS2000 agrees to a decimetre).
 */
import type { Feature, FeatureCollection, Geometry } from "geojson";
import {
  AttributionControl,
  type LngLatBoundsLike,
  Map as MapLibreMap,
  NavigationControl,
  ScaleControl,
  type StyleSpecification,
  setWorkerUrl,
} from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import provincesUrl from "../data/outlines/provinces.json?url";
import { say, type Words } from "../words";

setWorkerUrl(new URL(workerUrl, import.meta.url).href);

type Outline = Feature<Geometry, { sort: "area" | "label" | "line"; name?: string; code?: string }>;
type Outlines = FeatureCollection<Geometry, Outline["properties"]>;
type Box = [west: number, south: number, east: number, north: number];

const districtUrls = Object.fromEntries(
  Object.entries(
    import.meta.glob<string>("../data/outlines/districts/*.json", {
      query: "?url",
      import: "default",
      eager: true,
    }),
  ).map(([path, url]) => [path.slice(-7, -5), url]),
);

const DISTRICTS_FROM_ZOOM = 7;
const NAMED_FROM_ZOOM = 11;
export const CHINA: Box = [73.4, 3.2, 135.1, 53.6]; // to the last line in the South China Sea
const FONT = '"PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif';
const INK_QUIET = "#46515c";
// Neighbours seldom share a tint: divisions are numbered one after the other.
const DISTRICT_TINT = [
  "match",
  ["%", ["to-number", ["slice", ["get", "code"], 4, 6]], 4],
  0,
  "#f7f3ea",
  1,
  "#f1f4ec",
  2,
  "#f6efe9",
  "#eef1f2",
];

export interface BaseMapOptions {
  container: HTMLElement;
  /** Key for Tianditu's tiles; without it our own outlines are shown. */
  tiandituKey?: string | undefined;
  /** 审图号 of the tiles, which the law wants shown beside them. */
  reviewNumber?: string | undefined;
  bounds?: LngLatBoundsLike | undefined;
  /** What the map's buttons are called. */
  words: { title: string; zoomIn: string; zoomOut: string; outlines: string };
}

/** What the map's buttons are called, from the words of an island. */
export function wordsOfTheMap(words: Words): BaseMapOptions["words"] {
  return {
    title: words.title ?? say(words, "map_title"),
    zoomIn: say(words, "zoom_in"),
    zoomOut: say(words, "zoom_out"),
    outlines: say(words, "outlines"),
  };
}

/** The box around positions, widened on every side by `margin` degrees. */
export function boundsOf(positions: [lon: number, lat: number][], margin = 0): Box {
  const lons = positions.map(([lon]) => lon);
  const lats = positions.map(([, lat]) => lat);
  return [
    Math.min(...lons) - margin,
    Math.min(...lats) - margin,
    Math.max(...lons) + margin,
    Math.max(...lats) + margin,
  ];
}

/** Whether this device can draw the map at all. */
export function canDrawMaps(): boolean {
  try {
    const canvas = document.createElement("canvas");
    return canvas.getContext("webgl2") !== null;
  } catch {
    return false;
  }
}

function labelLayers(): StyleSpecification["layers"] {
  const text = {
    "text-field": ["get", "name"],
    "text-font": ["sans"],
    "text-max-width": 6,
  } as const;
  const paint = { "text-color": INK_QUIET, "text-halo-color": "#fff", "text-halo-width": 1.5 } as const;
  return [
    {
      id: "province-labels",
      type: "symbol",
      source: "provinces",
      filter: ["==", ["get", "sort"], "label"],
      maxzoom: DISTRICTS_FROM_ZOOM + 1,
      layout: { ...text, "text-size": ["interpolate", ["linear"], ["zoom"], 3, 11, 7, 16] } as never,
      paint,
    },
    {
      id: "district-labels",
      type: "symbol",
      source: "districts",
      filter: ["==", ["get", "sort"], "label"],
      minzoom: DISTRICTS_FROM_ZOOM + 0.5,
      layout: { ...text, "text-size": ["interpolate", ["linear"], ["zoom"], 7, 12, 12, 18] } as never,
      paint,
    },
  ];
}

function outlineStyle(): StyleSpecification {
  const empty: Outlines = { type: "FeatureCollection", features: [] };
  return {
    version: 8,
    sources: {
      provinces: { type: "geojson", data: empty },
      districts: { type: "geojson", data: empty },
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": "#dfe8ec" } },
      {
        id: "land",
        type: "fill",
        source: "provinces",
        filter: ["==", ["get", "sort"], "area"],
        paint: { "fill-color": "#faf8f3" },
      },
      {
        id: "district-areas", // also tells which district the map's middle lies in
        type: "fill",
        source: "districts",
        filter: ["==", ["get", "sort"], "area"],
        minzoom: DISTRICTS_FROM_ZOOM,
        paint: { "fill-color": DISTRICT_TINT as never, "fill-opacity": 0.9 },
      },
      {
        id: "district-lines",
        type: "line",
        source: "districts",
        filter: ["==", ["get", "sort"], "area"],
        minzoom: DISTRICTS_FROM_ZOOM,
        paint: {
          "line-color": "#b0a58f",
          "line-width": ["interpolate", ["linear"], ["zoom"], 7, 0.8, 11, 1.6, 15, 2.4],
        },
      },
      {
        id: "province-lines",
        type: "line",
        source: "provinces",
        filter: ["==", ["get", "sort"], "area"],
        paint: {
          "line-color": "#8f8571",
          "line-width": ["interpolate", ["linear"], ["zoom"], 3, 0.8, 9, 2.2, 14, 3],
        },
      },
      {
        id: "boundary-lines",
        type: "line",
        source: "provinces",
        filter: ["==", ["get", "sort"], "line"],
        paint: { "line-color": "#8f8571", "line-width": 1.6 },
      },
      ...labelLayers(),
    ],
  };
}

/** Tianditu's own tiles; the law wants their review number shown beside them. */
export function tiandituStyle(key: string, reviewNumber: string | undefined): StyleSpecification {
  const tiles = (layer: string) =>
    ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"].map(
      (host) =>
        `https://${host}.tianditu.gov.cn/${layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&LAYER=${layer}` +
        `&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk=${encodeURIComponent(key)}`,
    );
  const attribution = `天地图${reviewNumber ? ` · 审图号：${reviewNumber}` : ""}`;
  return {
    version: 8,
    sources: {
      ground: { type: "raster", tiles: tiles("vec"), tileSize: 256, maxzoom: 18, attribution },
      names: { type: "raster", tiles: tiles("cva"), tileSize: 256, maxzoom: 18 },
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": "#dfe8ec" } },
      { id: "ground", type: "raster", source: "ground" },
      { id: "names", type: "raster", source: "names" },
    ],
  };
}

/** The smallest box around a geometry. */
export function boxOf(geometry: Geometry): Box {
  const box: Box = [180, 90, -180, -90];
  const visit = (part: unknown): void => {
    if (!Array.isArray(part)) return;
    if (typeof part[0] === "number" && typeof part[1] === "number") {
      box[0] = Math.min(box[0], part[0]);
      box[1] = Math.min(box[1], part[1]);
      box[2] = Math.max(box[2], part[0]);
      box[3] = Math.max(box[3], part[1]);
    } else {
      for (const inner of part) visit(inner);
    }
  };
  if (geometry.type !== "GeometryCollection") visit(geometry.coordinates);
  return box;
}

/** Whether two boxes touch. */
export function boxesTouch(a: Box, b: Box): boolean {
  return a[0] <= b[2] && b[0] <= a[2] && a[1] <= b[3] && b[1] <= a[3];
}

async function outlinesAt(url: string): Promise<Outlines> {
  const answer = await fetch(new URL(url, import.meta.url));
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return (await answer.json()) as Outlines;
}

/** Loads districts of the provinces that one looks at closely, each once. */
function loadDistrictsWhereLooked(map: MapLibreMap, provinces: Outlines): void {
  const boxes = provinces.features
    .filter((feature) => feature.properties.sort === "area")
    .map((feature) => ({ code: feature.properties.code?.slice(0, 2) ?? "", box: boxOf(feature.geometry) }));
  const asked = new Set<string>();
  const shown: Outlines["features"] = [];
  const look = async () => {
    if (map.getZoom() < DISTRICTS_FROM_ZOOM) return;
    const view = map.getBounds();
    const seen: Box = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()];
    const wanted = boxes.filter(
      ({ code, box }) => !asked.has(code) && districtUrls[code] && boxesTouch(box, seen),
    );
    for (const { code } of wanted) asked.add(code);
    const loaded = await Promise.allSettled(wanted.map(({ code }) => outlinesAt(districtUrls[code] ?? "")));
    loaded.forEach((result, at) => {
      if (result.status === "fulfilled") shown.push(...result.value.features);
      else asked.delete(wanted[at]?.code ?? ""); // asked again at the next move
    });
    if (wanted.length) source(map, "districts")?.setData({ type: "FeatureCollection", features: shown });
  };
  map.on("moveend", look);
  void look();
}

/** Say which district one looks at, once its own label is out of sight. */
function nameDistrictLookedAt(map: MapLibreMap, container: HTMLElement): void {
  const caption = document.createElement("p");
  caption.className = "map-where";
  container.append(caption);
  map.on("idle", () => {
    const near = map.getZoom() >= NAMED_FROM_ZOOM;
    const middle = map.project(map.getCenter());
    const named = (layer: string) =>
      String(map.queryRenderedFeatures(middle, { layers: [layer] })[0]?.properties.name ?? "");
    const names = near ? [...new Set([named("land"), named("district-areas")])] : [];
    caption.textContent = names.filter(Boolean).join(" · ");
  });
}

/** A GeoJSON source of the map by its name. */
export function source(map: MapLibreMap, name: string): import("maplibre-gl").GeoJSONSource | undefined {
  return map.getSource(name);
}

/** Make the map and wait until layers can be added to it. */
export async function createBaseMap(options: BaseMapOptions): Promise<MapLibreMap> {
  const { container, tiandituKey, reviewNumber, words } = options;
  // The library's own styles make its container relative; ours stays as the page placed it.
  const inner = document.createElement("div");
  inner.className = "map-fill";
  container.append(inner);
  const map = new MapLibreMap({
    container: inner,
    style: tiandituKey ? tiandituStyle(tiandituKey, reviewNumber) : outlineStyle(),
    bounds: options.bounds ?? CHINA,
    fitBoundsOptions: { padding: 16, maxZoom: 15 },
    minZoom: 1.5,
    maxZoom: 18,
    dragRotate: false,
    pitchWithRotate: false,
    touchPitch: false,
    attributionControl: false,
    localIdeographFontFamily: FONT,
    locale: {
      "Map.Title": words.title,
      "NavigationControl.ZoomIn": words.zoomIn,
      "NavigationControl.ZoomOut": words.zoomOut,
    },
    fadeDuration: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 200,
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  map.addControl(new NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new ScaleControl({ maxWidth: 90 }), "bottom-left");
  map.addControl(
    new AttributionControl({ compact: false, customAttribution: tiandituKey ? [] : [words.outlines] }),
  );
  await new Promise<void>((resolve) => map.once("style.load", () => resolve()));
  if (!tiandituKey) {
    outlinesAt(provincesUrl)
      .then((provinces) => {
        source(map, "provinces")?.setData(provinces);
        loadDistrictsWhereLooked(map, provinces);
        nameDistrictLookedAt(map, inner);
      })
      .catch((reason: unknown) => console.warn("No outlines:", reason));
  }
  return map;
}
