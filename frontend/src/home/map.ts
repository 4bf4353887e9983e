/** The home page's map: places by state, the reader's position, and a card for what is tapped. */
import { type ExpressionSpecification, type Map as MapLibreMap, Marker } from "maplibre-gl";
import { boundsOf, createBaseMap, source, wordsOfTheMap } from "../map/base";
import {
  addClusters,
  addNames,
  addPlaces,
  Cards,
  cardOf,
  NOTHING,
  showWhatCanBeTapped,
  tapped,
} from "../map/marks";
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
  /** Wherever the map was tapped; true: that was all it was for. */
  tookCorner(lon: number, lat: number): boolean;
}

const STATE_TEXT: ExpressionSpecification = [
  "match",
  ["get", "state"],
  "yes",
  "#0b6247",
  "unknown",
  "#8a5a00",
  "#5b6672",
];
const SOME_OPEN: ExpressionSpecification = ["case", [">", ["get", "open"], 0], "#0b6247", "#5b6672"];
const BOX_FROM_ZOOM = 6;

export class HomeMap {
  private places: MapPlace[] = [];
  private all = true;
  private filters: Filters = { text: "", open: false, kind: "", offer: "" };
  private only: Set<string> | null = null;
  private readonly cards: Cards;
  private you: Marker | null = null;

  private constructor(
    private readonly map: MapLibreMap,
    private readonly indexUrl: string,
    private readonly words: Words,
    private readonly handlers: HomeMapHandlers,
  ) {
    this.cards = new Cards(map);
  }

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
      words: wordsOfTheMap(words),
    });
    const home = new HomeMap(map, settings.index ?? "/api/places/index.json", words, handlers);
    home.addLayers();
    home.listen();
    return home;
  }

  private addLayers(): void {
    const { map } = this;
    addPlaces(map, "places", {
      together: { open: ["+", ["case", ["==", ["get", "state"], "yes"], 1, 0]] },
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
    map.addSource("way", { type: "geojson", data: NOTHING });
    map.addLayer({
      id: "way",
      type: "line",
      source: "way",
      layout: { "line-cap": "round", "line-join": "round" },
      paint: { "line-color": "#1b5089", "line-width": 4, "line-opacity": 0.75 },
    });
    map.addLayer({
      id: "way-corners",
      type: "circle",
      source: "way",
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-radius": 6,
        "circle-color": "#fff",
        "circle-stroke-color": "#1b5089",
        "circle-stroke-width": 3,
      },
    });
    addClusters(map, "places", SOME_OPEN);
    addNames(map, "places", { words: "words", colour: STATE_TEXT });
    addPins(map, "places"); // above the names, so that these make room for the drawings
  }

  private listen(): void {
    const { map } = this;
    map.on("click", async (event) => {
      if (this.handlers.tookCorner(event.lngLat.lng, event.lngLat.lat)) return;
      const hit = await tapped(map, "places", event);
      if (hit === null) return;
      const place = this.places.find(({ id }) => id === hit?.id);
      if (place) {
        this.showPlace(place);
        this.handlers.chose(place.id);
      } else {
        this.offerToLookHere(event.lngLat.lng, event.lngLat.lat);
      }
    });
    showWhatCanBeTapped(map, "places");
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
    this.map.fitBounds(boundsOf(positions), {
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

  /** Draw a way by its corners; none: take it away. */
  showWay(way: [number, number][]): void {
    this.cards.hide();
    const corners = way.map((corner) => ({
      type: "Feature" as const,
      properties: {},
      geometry: { type: "Point" as const, coordinates: corner },
    }));
    const line = { type: "LineString" as const, coordinates: way };
    source(this.map, "way")?.setData({
      type: "FeatureCollection",
      features: way.length > 1 ? [{ type: "Feature", properties: {}, geometry: line }, ...corners] : corners,
    });
  }

  /** The map's middle, for those who move it with the keys. */
  get middle(): [number, number] {
    const { lng, lat } = this.map.getCenter();
    return [lng, lat];
  }

  /** Ring one place, or none. */
  ring(at: [number, number] | null): void {
    source(this.map, "chosen")?.setData(
      at ? { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: at } } : NOTHING,
    );
  }

  private showPlace(place: MapPlace | NearPlace): void {
    const [state, tone] = stateOf(this.words, place);
    const lines = [{ text: state, className: `status status-${tone}` }];
    if ("distance_m" in place) lines.push({ text: distance(this.words, place.distance_m), className: "" });
    this.cards.show(
      cardOf(place.name, `/places/${encodeURIComponent(place.id)}/`, lines),
      place.lon,
      place.lat,
    );
    this.ring([place.lon, place.lat]);
  }

  private offerToLookHere(lon: number, lat: number): void {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small";
    button.textContent = say(this.words, "look_here");
    button.addEventListener("click", () => {
      this.cards.hide();
      this.handlers.lookNear(lon, lat);
    });
    this.cards.show(button, lon, lat);
  }
}
