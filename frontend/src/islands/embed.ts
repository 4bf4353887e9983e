/** The map for frames of other sites: the stations in sight, by state; a tap opens a station's page beside the frame. */
import type { Map as MapLibreMap } from "maplibre-gl";
import { say, wordsFrom } from "../words";

interface Shown {
  id: string;
  name: string;
  kind: string;
  state: "yes" | "no" | "unknown";
  lon: number;
  lat: number;
  url: string;
}

interface Answer {
  total: number;
  next: string | null;
  places: Shown[];
}

const AT_ONCE = 500;
const MOST = 2000; // more cannot be told apart on a small map
const PATIENCE_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000]; // a site that is starting is asked again
const CHINA: [number, number, number, number] = [73.4, 3.2, 135.1, 53.6];

const words = wordsFrom("embed-words");

class EmbeddedMap {
  private turn = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly map: MapLibreMap,
    private readonly said: HTMLElement,
  ) {
    map.on("moveend", () => void this.load());
    map.on("click", (event) => void this.follow(event.point, event.lngLat));
    void this.load();
  }

  private async load(attempt = 0): Promise<void> {
    this.turn += 1;
    const turn = this.turn;
    const view = this.map.getBounds();
    const box = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()]
      .map((side) => side.toFixed(5))
      .join(",");
    const places: Shown[] = [];
    let total = 0;
    try {
      let cursor = "";
      do {
        const answer = await fetch(
          `${this.root.dataset.inBox}?${this.root.dataset.query}&bbox=${box}&limit=${AT_ONCE}${cursor}`,
        );
        if (!answer.ok) throw new Error(String(answer.status));
        const page = (await answer.json()) as Answer;
        if (turn !== this.turn) return; // moved on meanwhile
        places.push(...page.places);
        total = page.total;
        cursor = page.next ? `&cursor=${encodeURIComponent(page.next)}` : "";
      } while (cursor && places.length < MOST);
    } catch (reason) {
      if (turn !== this.turn) return;
      console.warn("No stations:", reason);
      this.said.textContent = say(words, "failed");
      const pause = PATIENCE_MS[Math.min(attempt, PATIENCE_MS.length - 1)] ?? 30_000;
      setTimeout(() => {
        if (turn === this.turn) void this.load(attempt + 1);
      }, pause);
      return;
    }
    this.show(places);
    this.said.textContent = say(words, total > places.length ? "some" : "all", { n: places.length, total });
  }

  private show(places: Shown[]): void {
    const features = places.map((place) => ({
      type: "Feature" as const,
      properties: { ...place, words: say(words, place.state), pin: `pin-${place.kind}-${place.state}` },
      geometry: { type: "Point" as const, coordinates: [place.lon, place.lat] },
    }));
    const source = this.map.getSource<import("maplibre-gl").GeoJSONSource>("places");
    source?.setData({ type: "FeatureCollection", features });
  }

  private async follow(point: import("maplibre-gl").Point, at: import("maplibre-gl").LngLat): Promise<void> {
    const [hit] = this.map.queryRenderedFeatures(point, { layers: ["clusters", "places"] });
    if (!hit) return;
    if (hit.properties.cluster_id !== undefined) {
      const source = this.map.getSource<import("maplibre-gl").GeoJSONSource>("places");
      const zoom = await source?.getClusterExpansionZoom(hit.properties.cluster_id);
      this.map.easeTo({ center: at, zoom: zoom ?? this.map.getZoom() + 2 });
      return;
    }
    const { Popup } = await import("maplibre-gl");
    const card = document.createElement("div");
    card.className = "map-card";
    const link = document.createElement("a");
    link.href = String(hit.properties.url);
    link.target = "_blank";
    link.rel = "noopener";
    link.textContent = String(hit.properties.name);
    const state = document.createElement("span");
    state.textContent = String(hit.properties.words);
    card.append(link, state);
    new Popup({ closeButton: false, maxWidth: "17rem", offset: 14 })
      .setLngLat([Number(hit.properties.lon), Number(hit.properties.lat)])
      .setDOMContent(card)
      .addTo(this.map);
  }
}

async function draw(root: HTMLElement, container: HTMLElement, said: HTMLElement): Promise<void> {
  const [{ canDrawMaps, createBaseMap }, { addPins }] = await Promise.all([
    import("../map/base"),
    import("../map/pins"),
  ]);
  if (!canDrawMaps()) throw new Error("no WebGL");
  const [west, south, east, north] = root.dataset.box ? root.dataset.box.split(",").map(Number) : CHINA;
  const map = await createBaseMap({
    container,
    tiandituKey: root.dataset.tianditu,
    reviewNumber: root.dataset.reviewNumber,
    bounds: [west ?? CHINA[0], south ?? CHINA[1], east ?? CHINA[2], north ?? CHINA[3]],
    words: {
      title: say(words, "map_title"),
      zoomIn: say(words, "zoom_in"),
      zoomOut: say(words, "zoom_out"),
      outlines: say(words, "outlines"),
    },
  });
  map.addSource("places", {
    type: "geojson",
    data: { type: "FeatureCollection", features: [] },
    cluster: true,
    clusterRadius: 38,
    clusterMaxZoom: 12,
  });
  map.addLayer({
    id: "clusters",
    type: "circle",
    source: "places",
    filter: ["has", "point_count"],
    paint: {
      "circle-color": "#0b6247",
      "circle-radius": ["step", ["get", "point_count"], 16, 10, 19, 100, 24],
      "circle-stroke-color": "rgba(255, 255, 255, 0.85)",
      "circle-stroke-width": 3,
    },
  });
  map.addLayer({
    id: "counts",
    type: "symbol",
    source: "places",
    filter: ["has", "point_count"],
    layout: { "text-field": ["get", "point_count_abbreviated"], "text-font": ["sans"], "text-size": 14 },
    paint: { "text-color": "#fff" },
  });
  addPins(map);
  map.addLayer({
    id: "places",
    type: "symbol",
    source: "places",
    filter: ["!", ["has", "point_count"]],
    layout: {
      "icon-image": ["get", "pin"],
      "icon-size": 0.85,
      "icon-allow-overlap": true,
      "text-field": ["step", ["zoom"], "", 13, ["get", "name"]],
      "text-font": ["sans"],
      "text-size": 13,
      "text-anchor": "top",
      "text-offset": [0, 1.2],
      "text-optional": true,
    },
    paint: { "text-color": "#17212b", "text-halo-color": "#fff", "text-halo-width": 1.8 },
  });
  new EmbeddedMap(root, map, said);
}

for (const root of document.querySelectorAll<HTMLElement>("[data-embed]")) {
  const container = root.querySelector<HTMLElement>('[data-part="map"]');
  const said = root.querySelector<HTMLElement>('[data-part="said"]');
  if (!container || !said) continue;
  draw(root, container, said).catch((reason: unknown) => {
    console.warn("No map:", reason);
    container.hidden = true;
    said.textContent = say(words, "no_map");
  });
}
