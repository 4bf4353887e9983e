/** What the map of a played-back day draws: ways, places with their circles, approaches, vehicles. */
import type { Feature, FeatureCollection } from "geojson";
import { type Map as MapLibreMap, Popup } from "maplibre-gl";
import { createBaseMap, source } from "../map/base";
import { say, type Words } from "../words";
import type { Day, Encounter } from "./day";

const METRES_PER_DEGREE = 111_195;
const TELLS_S = 30; // an approach glows for so long before and after its moment
const COLOURS = ["match", ["get", "outcome"], "REMINDED", "#0b6247", "OUTSIDE", "#8a94a0", "#b45309"];

function collection(features: Feature[]): FeatureCollection {
  return { type: "FeatureCollection", features };
}

function circle(lon: number, lat: number, radius: number): [number, number][] {
  const [up, beside] = [
    radius / METRES_PER_DEGREE,
    radius / (METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180)),
  ];
  return Array.from({ length: 49 }, (_, k) => {
    const turn = (k / 48) * 2 * Math.PI;
    return [lon + Math.cos(turn) * beside, lat + Math.sin(turn) * up];
  });
}

export class PlaybackLayers {
  private popup: Popup | null = null;

  private constructor(
    private readonly map: MapLibreMap,
    private readonly day: Day,
  ) {}

  static async on(
    container: HTMLElement,
    settings: DOMStringMap,
    words: Words,
    day: Day,
  ): Promise<PlaybackLayers> {
    const points = day.vehicles.flatMap((each) => each.way);
    // The crowd, not the one position that a bad fix has thrown across the river.
    const edge = (axis: 0 | 1, share: number) => {
      const sorted = points.map((point) => point[axis]).sort((a, b) => a - b);
      return sorted[Math.round(share * (sorted.length - 1))] ?? 0;
    };
    const map = await createBaseMap({
      container,
      tiandituKey: settings.tianditu,
      reviewNumber: settings.reviewNumber,
      bounds: points.length ? [edge(0, 0.01), edge(1, 0.01), edge(0, 0.99), edge(1, 0.99)] : undefined,
      words: {
        title: say(words, "map_title"),
        zoomIn: say(words, "zoom_in"),
        zoomOut: say(words, "zoom_out"),
        outlines: say(words, "outlines"),
      },
    });
    const layers = new PlaybackLayers(map, day);
    layers.addLayers();
    return layers;
  }

  private addLayers(): void {
    for (const name of ["circles", "ways", "stations", "approaches", "vehicles"]) {
      this.map.addSource(name, { type: "geojson", data: collection([]) });
    }
    this.map.addLayer({
      id: "circles",
      type: "fill",
      source: "circles",
      paint: { "fill-color": "#0b6247", "fill-opacity": 0.08, "fill-outline-color": "#0b6247" },
    });
    this.map.addLayer({
      id: "ways",
      type: "line",
      source: "ways",
      paint: { "line-color": "#2458a6", "line-width": 1.6, "line-opacity": 0.45 },
    });
    this.map.addLayer({
      id: "stations",
      type: "circle",
      source: "stations",
      paint: {
        "circle-radius": 4,
        "circle-color": "#0b6247",
        "circle-stroke-color": "#fff",
        "circle-stroke-width": 1.5,
      },
    });
    this.map.addLayer({
      id: "approaches",
      type: "circle",
      source: "approaches",
      paint: {
        "circle-radius": ["case", ["get", "now"], 16, 9],
        "circle-color": COLOURS as never,
        "circle-opacity": ["case", ["get", "now"], 0.35, 0],
        "circle-stroke-color": COLOURS as never,
        "circle-stroke-width": ["case", ["get", "now"], 3, 1.5],
      },
    });
    this.map.addLayer({
      id: "vehicles",
      type: "circle",
      source: "vehicles",
      paint: {
        "circle-radius": 6,
        "circle-color": "#2458a6",
        "circle-stroke-color": "#fff",
        "circle-stroke-width": 2,
      },
    });
    source(this.map, "stations")?.setData(
      collection(
        this.day.stations.map(({ lon, lat }) => ({
          type: "Feature",
          properties: {},
          geometry: { type: "Point", coordinates: [lon, lat] },
        })),
      ),
    );
    source(this.map, "circles")?.setData(
      collection(
        this.day.stations.map(({ lon, lat, radius }) => ({
          type: "Feature",
          properties: {},
          geometry: { type: "Polygon", coordinates: [circle(lon, lat, radius)] },
        })),
      ),
    );
  }

  private vehicle = "";
  private outcome = "";

  /** Show the way of one vehicle only (its number as text; empty: all), and approaches of one outcome. */
  choose(vehicle: string, outcome: string): void {
    [this.vehicle, this.outcome] = [vehicle, outcome];
    source(this.map, "ways")?.setData(
      collection(
        this.day.vehicles
          .filter((each, at) => each.way.length > 1 && (vehicle === "" || String(at) === vehicle))
          .map((each) => ({
            type: "Feature",
            properties: {},
            geometry: { type: "LineString", coordinates: each.way.map(([lon, lat]) => [lon, lat]) },
          })),
      ),
    );
    this.drawApproaches(Number.NEGATIVE_INFINITY);
  }

  /** Draw the vehicles where they are, and what became of approaches at that time. */
  draw(vehicles: { vehicle: number; at: [number, number] }[], second: number): void {
    const shown = vehicles.filter((each) => this.vehicle === "" || String(each.vehicle) === this.vehicle);
    source(this.map, "vehicles")?.setData(
      collection(
        shown.map(({ at }) => ({
          type: "Feature",
          properties: {},
          geometry: { type: "Point", coordinates: at },
        })),
      ),
    );
    this.drawApproaches(second);
  }

  private drawApproaches(second: number): void {
    const features: Feature[] = [];
    for (const each of this.day.encounters) {
      const station = this.day.stations[each.station];
      const fits =
        (this.vehicle === "" || String(each.vehicle) === this.vehicle) &&
        (this.outcome === "" || each.outcome === this.outcome);
      if (!station || !fits) continue;
      features.push({
        type: "Feature",
        properties: { outcome: each.outcome, now: Math.abs(each.at - second) <= TELLS_S },
        geometry: { type: "Point", coordinates: [station.lon, station.lat] },
      });
    }
    // Those of now are drawn last, over the others.
    features.sort((a, b) => Number(a.properties?.now) - Number(b.properties?.now));
    source(this.map, "approaches")?.setData(collection(features));
  }

  /** Fly to the place of an approach and say what became of it. */
  lookAt(encounter: Encounter): void {
    const station = this.day.stations[encounter.station];
    if (!station) return;
    const at: [number, number] = [station.lon, station.lat];
    this.map.easeTo({ center: at, zoom: Math.max(this.map.getZoom(), 14.5) });
    const text = document.createElement("div");
    const head = document.createElement("strong");
    head.textContent = `${encounter.place} · ${encounter.said}`;
    const body = document.createElement("p");
    body.textContent = encounter.why;
    text.append(head, body);
    this.popup?.remove();
    this.popup = new Popup({ maxWidth: "18rem" }).setLngLat(at).setDOMContent(text).addTo(this.map);
  }
}
