/** The home page's map: places by state, the reader's position, and a card for what is tapped. */
import { type Map as MapLibreMap, Marker, Popup } from "maplibre-gl";
import { createBaseMap, source } from "../map/base";
import { addPins, pinName } from "../map/pins";
import { distance, say, type Words } from "../words";
import type { Filters, MapPlace, NearPlace } from "./api";
import { answers, placesOnMap } from "./api";
import { stateOf } from "./entries";

export interface HomeMapHandlers {
  /** The reader wants to see what is near a position, WGS-84 degrees. */
  lookNear(lon: number, lat: number): void;
  /** A place was tapped. */
  chose(id: string): void;
}

const NOTHING = { type: "FeatureCollection" as const, features: [] };
const STATE_TEXT = ["match", ["get", "state"], "yes", "#0b6247", "unknown", "#8a5a00", "#5b6672"];
const BOX_FROM_ZOOM = 6;

export class HomeMap {
  private places: MapPlace[] = [];
  private all = true;
  private filters: Filters = { text: "", open: false, kind: "", offer: "" };
  private only: Set<string> | null = null;
  private card: Popup | null = null;
  private you: Marker | null = null;

  private constructor(
    private readonly map: MapLibreMap,
    private readonly indexUrl: string,
    private readonly words: Words,
    private readonly handlers: HomeMapHandlers,
  ) {}

  static async on(
    container: HTMLElement,
    settings: DOMStringMap,
    words: Words,
    handlers: HomeMapHandlers,
  ): Promise<HomeMap> {
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
    const home = new HomeMap(map, settings.index ?? "/api/places/index.json", words, handlers);
    home.addLayers();
    home.listen();
    return home;
  }

  private addLayers(): void {
    const { map } = this;
    map.addSource("places", {
      type: "geojson",
      data: NOTHING,
      cluster: true,
      clusterRadius: 38,
      clusterMaxZoom: 12,
      clusterProperties: { open: ["+", ["case", ["==", ["get", "state"], "yes"], 1, 0]] },
    });
    map.addSource("chosen", { type: "geojson", data: NOTHING });
    map.addLayer({
      id: "chosen",
      type: "circle",
      source: "chosen",
      paint: {
        "circle-radius": 15,
        "circle-color": "rgba(179, 33, 27, 0.14)",
        "circle-stroke-color": "#b3211b",
        "circle-stroke-width": 2.5,
      },
    });
    map.addLayer({
      id: "clusters",
      type: "circle",
      source: "places",
      filter: ["has", "point_count"],
      paint: {
        "circle-color": ["case", [">", ["get", "open"], 0], "#0b6247", "#5b6672"],
        "circle-radius": ["step", ["get", "point_count"], 16, 10, 19, 100, 24, 1000, 29],
        "circle-stroke-color": "rgba(255, 255, 255, 0.85)",
        "circle-stroke-width": 3,
      },
    });
    map.addLayer({
      id: "cluster-counts",
      type: "symbol",
      source: "places",
      filter: ["has", "point_count"],
      layout: { "text-field": ["get", "point_count_abbreviated"], "text-font": ["sans"], "text-size": 14 },
      paint: { "text-color": "#fff" },
    });
    addPins(map);
    map.addLayer({
      id: "place-names",
      type: "symbol",
      source: "places",
      minzoom: 13,
      filter: ["!", ["has", "point_count"]],
      layout: {
        "text-field": [
          "format",
          ["get", "name"],
          {},
          "\n",
          {},
          ["get", "words"],
          { "font-scale": 0.85, "text-color": STATE_TEXT as never },
        ],
        "text-font": ["sans"],
        "text-size": 13,
        "text-anchor": "top",
        "text-offset": [0, 1.2],
        "text-max-width": 9,
        "text-optional": true,
      },
      paint: { "text-color": "#17212b", "text-halo-color": "#fff", "text-halo-width": 1.8 },
    });
    // Above the names, so that these make room for the drawings.
    map.addLayer({
      id: "places",
      type: "symbol",
      source: "places",
      filter: ["!", ["has", "point_count"]],
      layout: {
        "icon-image": ["get", "pin"],
        "icon-size": ["interpolate", ["linear"], ["zoom"], 6, 0.6, 12, 0.85, 15, 1],
        "icon-allow-overlap": true,
        "symbol-sort-key": ["match", ["get", "state"], "yes", 2, "unknown", 1, 0],
      },
    });
  }

  private listen(): void {
    const { map } = this;
    map.on("click", async (event) => {
      const [hit] = map.queryRenderedFeatures(event.point, { layers: ["clusters", "places"] });
      if (hit?.properties.cluster_id !== undefined) {
        const zoom = await source(map, "places")?.getClusterExpansionZoom(hit.properties.cluster_id);
        map.easeTo({ center: event.lngLat, zoom: zoom ?? map.getZoom() + 2 });
        return;
      }
      const place = this.places.find(({ id }) => id === hit?.properties.id);
      if (place) {
        this.showPlace(place);
        this.handlers.chose(place.id);
      } else {
        this.offerToLookHere(event.lngLat.lng, event.lngLat.lat);
      }
    });
    for (const layer of ["clusters", "places"]) {
      map.on("mouseenter", layer, () => {
        map.getCanvas().style.cursor = "pointer";
      });
      map.on("mouseleave", layer, () => {
        map.getCanvas().style.cursor = "";
      });
    }
    map.on("moveend", () => {
      if (!this.all && map.getZoom() >= BOX_FROM_ZOOM) void this.load(true).catch(() => undefined);
    });
  }

  /** Load what is on the map; beyond five thousand places only those in view. */
  async load(inView = false): Promise<void> {
    const view = this.map.getBounds();
    const box = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()];
    const { places, total } = await placesOnMap(this.indexUrl, inView ? box : undefined);
    if (!inView) this.all = places.length === total;
    this.places = places;
    this.draw();
  }

  /** Show what answers the filters; with `only`, no others than these. */
  filter(filters: Filters, only: Set<string> | null): void {
    this.filters = filters;
    this.only = only;
    this.draw();
  }

  private shown(): MapPlace[] {
    const { filters, only } = this;
    return this.places.filter((place) => answers(place, filters) && (!only || only.has(place.id)));
  }

  private draw(): void {
    source(this.map, "places")?.setData({
      type: "FeatureCollection",
      features: this.shown().map(({ id, name, kind, state, changes_at, lon, lat }) => ({
        type: "Feature",
        properties: {
          id,
          name,
          state,
          pin: pinName(kind, state),
          words: stateOf(this.words, { state, changes_at })[0],
        },
        geometry: { type: "Point", coordinates: [lon, lat] },
      })),
    });
  }

  /** Move so that all places are seen, when the reader's position is not known. */
  frameAll(): void {
    this.frame(this.shown().map(({ lon, lat }) => [lon, lat]));
  }

  /** Move so that the position and the nearest places are seen. */
  frame(positions: [number, number][]): void {
    if (!positions.length) return;
    const lons = positions.map(([lon]) => lon);
    const lats = positions.map(([, lat]) => lat);
    this.map.fitBounds([Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)], {
      padding: 56,
      maxZoom: 14,
    });
  }

  showPosition(lon: number, lat: number): void {
    if (!this.you) {
      const dot = document.createElement("div");
      dot.className = "map-you";
      dot.setAttribute("role", "img");
      dot.setAttribute("aria-label", say(this.words, "your_position"));
      this.you = new Marker({ element: dot }).setLngLat([lon, lat]).addTo(this.map);
    }
    this.you.setLngLat([lon, lat]);
  }

  /** Ring one place, or none. */
  ring(at: [number, number] | null): void {
    source(this.map, "chosen")?.setData(
      at ? { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: at } } : NOTHING,
    );
  }

  private showPlace(place: MapPlace | NearPlace): void {
    const [state, tone] = stateOf(this.words, place);
    const content = document.createElement("div");
    content.className = "map-card";
    const link = document.createElement("a");
    link.href = `/places/${encodeURIComponent(place.id)}/`;
    link.textContent = place.name;
    const line = document.createElement("span");
    line.className = `status status-${tone}`;
    line.textContent = state;
    content.append(link, line);
    if ("distance_m" in place) {
      const far = document.createElement("span");
      far.textContent = distance(this.words, place.distance_m);
      content.append(far);
    }
    this.showCard(content, place.lon, place.lat);
    this.ring([place.lon, place.lat]);
  }

  private offerToLookHere(lon: number, lat: number): void {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small";
    button.textContent = say(this.words, "look_here");
    button.addEventListener("click", () => {
      this.card?.remove();
      this.handlers.lookNear(lon, lat);
    });
    this.showCard(button, lon, lat);
  }

  private showCard(content: HTMLElement, lon: number, lat: number): void {
    this.card?.remove();
    this.card = new Popup({
      closeButton: false,
      focusAfterOpen: false,
      maxWidth: "17rem",
      offset: 12,
    })
      .setLngLat([lon, lat])
      .setDOMContent(content)
      .addTo(this.map);
  }
}
