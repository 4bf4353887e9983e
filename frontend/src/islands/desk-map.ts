/** The desk's places on a map, by status; the list beside it holds the same. */
import { wordsFrom } from "../words";

interface DeskPlace {
  name: string;
  status: string;
  /** The status in the reader's language. */
  words: string;
  lon: number;
  lat: number;
  url: string;
}

// Form and words say the status; colour repeats it.
const COLOUR = [
  "match",
  ["get", "status"],
  "published",
  "#0b6247",
  "suspended",
  "#8a5a00",
  "closed",
  "#fff",
  "#1b5089",
];
const EDGE = ["match", ["get", "status"], "closed", "#5b6672", "#fff"];

async function draw(root: HTMLElement, container: HTMLElement): Promise<void> {
  const [{ canDrawMaps, createBaseMap, source }, { Popup }] = await Promise.all([
    import("../map/base"),
    import("maplibre-gl"),
  ]);
  if (!canDrawMaps()) throw new Error("no WebGL");
  const places = JSON.parse(document.getElementById("desk-places")?.textContent ?? "[]") as DeskPlace[];
  const words = wordsFrom("desk-map-words");
  const lons = places.map(({ lon }) => lon);
  const lats = places.map(({ lat }) => lat);
  const map = await createBaseMap({
    container,
    tiandituKey: root.dataset.tianditu,
    reviewNumber: root.dataset.reviewNumber,
    bounds: [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)],
    words: {
      title: words.title ?? "",
      zoomIn: words.zoom_in ?? "",
      zoomOut: words.zoom_out ?? "",
      outlines: words.outlines ?? "",
    },
  });
  map.addSource("desk-places", {
    type: "geojson",
    cluster: true,
    clusterRadius: 34,
    clusterMaxZoom: 12,
    data: {
      type: "FeatureCollection",
      features: places.map((place, number) => ({
        type: "Feature",
        properties: { number, name: place.name, status: place.status, words: place.words },
        geometry: { type: "Point", coordinates: [place.lon, place.lat] },
      })),
    },
  });
  const alone = ["!", ["has", "point_count"]] as never;
  // Names stand lowest, so that they make room for what is counted.
  map.addLayer({
    id: "desk-names",
    type: "symbol",
    source: "desk-places",
    minzoom: 11,
    filter: alone,
    layout: {
      "text-field": ["format", ["get", "name"], {}, "\n", {}, ["get", "words"], { "font-scale": 0.85 }],
      "text-font": ["sans"],
      "text-size": 13,
      "text-anchor": "top",
      "text-offset": [0, 0.9],
      "text-max-width": 10,
      "text-optional": true,
    },
    paint: { "text-color": "#17212b", "text-halo-color": "#fff", "text-halo-width": 1.8 },
  });
  map.addLayer({
    id: "desk-clusters",
    type: "circle",
    source: "desk-places",
    filter: ["has", "point_count"],
    paint: {
      "circle-color": "#1b5089",
      "circle-radius": ["step", ["get", "point_count"], 16, 10, 19, 100, 24],
      "circle-stroke-color": "rgba(255, 255, 255, 0.85)",
      "circle-stroke-width": 3,
    },
  });
  map.addLayer({
    id: "desk-counts",
    type: "symbol",
    source: "desk-places",
    filter: ["has", "point_count"],
    layout: { "text-field": ["get", "point_count_abbreviated"], "text-font": ["sans"], "text-size": 14 },
    paint: { "text-color": "#fff" },
  });
  map.addLayer({
    id: "desk-points",
    type: "circle",
    source: "desk-places",
    filter: alone,
    paint: {
      "circle-radius": 9,
      "circle-color": COLOUR as never,
      "circle-stroke-color": EDGE as never,
      "circle-stroke-width": 2.5,
    },
  });
  map.on("click", async (event) => {
    const [hit] = map.queryRenderedFeatures(event.point, { layers: ["desk-clusters", "desk-points"] });
    if (hit?.properties.cluster_id !== undefined) {
      const zoom = await source(map, "desk-places")?.getClusterExpansionZoom(hit.properties.cluster_id);
      map.easeTo({ center: event.lngLat, zoom: zoom ?? map.getZoom() + 2 });
      return;
    }
    const place = places[Number(hit?.properties.number ?? -1)];
    if (!place) return;
    const card = document.createElement("div");
    card.className = "map-card";
    const link = document.createElement("a");
    link.href = place.url;
    link.textContent = place.name;
    const state = document.createElement("span");
    state.textContent = place.words;
    card.append(link, state);
    new Popup({ closeButton: false, maxWidth: "17rem", offset: 12 })
      .setLngLat([place.lon, place.lat])
      .setDOMContent(card)
      .addTo(map);
  });
}

for (const root of document.querySelectorAll<HTMLElement>("[data-desk-map]")) {
  const container = root.querySelector<HTMLElement>('[data-part="map"]');
  const without = root.querySelector<HTMLElement>('[data-part="no-map"]');
  if (!container || !without) continue;
  draw(root, container).catch((reason: unknown) => {
    console.warn("No map:", reason);
    container.hidden = true;
    without.hidden = false;
  });
}
