/** What the live map draws: roads, vehicles, places that have just reminded someone. */
import type { FeatureCollection } from "geojson";
import { type Map as MapLibreMap, Popup } from "maplibre-gl";
import { type MapPlace, placesOnMap } from "../home/api";
import { createBaseMap, source } from "../map/base";
import { say, type Words } from "../words";
import type { ReminderEvent } from "./movement";

const POPUP_MS = 6000;
const POPUPS = 3;
const RING_MS = 2500;

interface Ring {
  lon: number;
  lat: number;
  began: number;
}

function pointsOf(places: MapPlace[]): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: places.map(({ lon, lat, state }) => ({
      type: "Feature",
      properties: { state },
      geometry: { type: "Point", coordinates: [lon, lat] },
    })),
  };
}

export class LiveLayers {
  private rings: Ring[] = [];
  private readonly popups: Popup[] = [];

  private constructor(private readonly map: MapLibreMap) {}

  static async on(container: HTMLElement, settings: DOMStringMap, words: Words): Promise<LiveLayers> {
    const map = await createBaseMap({
      container,
      tiandituKey: settings.tianditu,
      reviewNumber: settings.reviewNumber,
      words: {
        title: say(words, "map_title"),
        zoomIn: say(words, "zoom_in"),
        zoomOut: say(words, "zoom_out"),
        outlines: say(words, "outlines"),
      },
    });
    const nothing = { type: "FeatureCollection" as const, features: [] };
    if (settings.roads) {
      map.addSource("roads", { type: "geojson", data: nothing });
      map.addLayer({
        id: "roads",
        type: "line",
        source: "roads",
        paint: {
          "line-color": "#d8cfbf",
          "line-width": [
            "interpolate",
            ["linear"],
            ["zoom"],
            9,
            ["match", ["get", "class"], "main", 0.9, 0.3],
            14,
            ["match", ["get", "class"], "main", 4, 1.8],
          ],
        },
      });
      fetch(settings.roads)
        .then((answer) => (answer.ok ? answer.json() : nothing))
        .then((roads) => source(map, "roads")?.setData(roads))
        .catch((reason: unknown) => console.info("No roads:", reason));
    }
    map.addSource("stations", { type: "geojson", data: nothing });
    map.addLayer({
      id: "stations",
      type: "circle",
      source: "stations",
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 2.5, 13, 6, 16, 9],
        "circle-color": ["match", ["get", "state"], "yes", "#0b6247", "#fff"],
        "circle-stroke-color": ["match", ["get", "state"], "yes", "#fff", "#5b6672"],
        "circle-stroke-width": 1.5,
      },
    });
    placesOnMap("/api/places/index.json")
      .then(({ places }) => source(map, "stations")?.setData(pointsOf(places)))
      .catch((reason: unknown) => console.info("No stations:", reason));
    map.addSource("rings", { type: "geojson", data: nothing });
    map.addSource("vehicles", { type: "geojson", data: nothing });
    map.addLayer({
      id: "vehicles",
      type: "circle",
      source: "vehicles",
      paint: {
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 9, 2, 13, 4.5, 16, 7],
        "circle-color": "#1b5089",
        "circle-stroke-color": "#fff",
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 9, 0.4, 13, 1.2],
      },
    });
    map.addLayer({
      id: "rings",
      type: "circle",
      source: "rings",
      paint: {
        "circle-radius": ["+", 7, ["*", 26, ["get", "age"]]],
        "circle-color": "#b3211b",
        "circle-opacity": ["*", 0.35, ["-", 1, ["get", "age"]]],
        "circle-stroke-color": "#b3211b",
        "circle-stroke-width": 2,
        "circle-stroke-opacity": ["-", 1, ["get", "age"]],
      },
    });
    return new LiveLayers(map);
  }

  /** Move to what is simulated; without `force` only when nothing of it is on the screen. */
  lookAt(bounds: [number, number, number, number], force: boolean): void {
    const view = this.map.getBounds();
    const [west, south, east, north] = bounds;
    const seen =
      view.getWest() < east && west < view.getEast() && view.getSouth() < north && south < view.getNorth();
    if (force || !seen) this.map.fitBounds(bounds, { padding: 24, animate: false });
  }

  remind(reminder: ReminderEvent, detail: string): void {
    this.rings.push({ lon: reminder.lon, lat: reminder.lat, began: performance.now() });
    const content = document.createElement("div");
    const name = document.createElement("strong");
    name.textContent = reminder.name;
    const line = document.createElement("p");
    line.textContent = detail;
    content.append(name, line);
    const popup = new Popup({
      closeButton: false,
      closeOnClick: false,
      focusAfterOpen: false,
      maxWidth: "16rem",
    })
      .setLngLat([reminder.lon, reminder.lat])
      .setDOMContent(content)
      .addTo(this.map);
    this.popups.push(popup);
    while (this.popups.length > POPUPS) this.popups.shift()?.remove();
    setTimeout(() => popup.remove(), POPUP_MS);
  }

  draw(vehicles: [number, number][], now: number): void {
    source(this.map, "vehicles")?.setData({
      type: "Feature",
      properties: {},
      geometry: { type: "MultiPoint", coordinates: vehicles },
    });
    const had = this.rings.length;
    this.rings = this.rings.filter((ring) => now - ring.began < RING_MS);
    if (!had) return;
    source(this.map, "rings")?.setData({
      type: "FeatureCollection",
      features: this.rings.map((ring) => ({
        type: "Feature",
        properties: { age: (now - ring.began) / RING_MS },
        geometry: { type: "Point", coordinates: [ring.lon, ring.lat] },
      })),
    });
  }
}
