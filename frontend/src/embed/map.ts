/** The stations in sight, by state; a tap opens a station's page beside the frame. */
import type { Map as MapLibreMap } from "maplibre-gl";
import { CHINA, canDrawMaps, createBaseMap, source, wordsOfTheMap } from "../map/base";
import { addClusters, addNames, addPlaces, Cards, cardOf, showWhatCanBeTapped, tapped } from "../map/marks";
import { addPins, pinName } from "../map/pins";
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

const words = wordsFrom("embed-words");

class EmbeddedMap {
  private turn = 0;
  private readonly cards: Cards;

  constructor(
    private readonly root: HTMLElement,
    private readonly map: MapLibreMap,
    private readonly said: HTMLElement,
  ) {
    this.cards = new Cards(map);
    map.on("moveend", () => void this.load());
    map.on("click", (event) => void this.follow(event));
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
    source(this.map, "places")?.setData({
      type: "FeatureCollection",
      features: places.map((place) => ({
        type: "Feature",
        properties: { ...place, words: say(words, place.state), pin: pinName(place.kind, place.state) },
        geometry: { type: "Point", coordinates: [place.lon, place.lat] },
      })),
    });
  }

  private async follow(event: Parameters<typeof tapped>[2]): Promise<void> {
    const place = await tapped(this.map, "places", event);
    if (!place) return;
    const card = cardOf(String(place.name), String(place.url), [{ text: String(place.words) }], {
      beside: true,
    });
    this.cards.show(card, Number(place.lon), Number(place.lat));
  }
}

/** Draw the map and keep it filled. */
export async function draw(root: HTMLElement, container: HTMLElement, said: HTMLElement): Promise<void> {
  if (!canDrawMaps()) throw new Error("no WebGL");
  const [west, south, east, north] = root.dataset.box ? root.dataset.box.split(",").map(Number) : CHINA;
  const map = await createBaseMap({
    container,
    tiandituKey: root.dataset.tianditu,
    reviewNumber: root.dataset.reviewNumber,
    bounds: [west ?? CHINA[0], south ?? CHINA[1], east ?? CHINA[2], north ?? CHINA[3]],
    words: wordsOfTheMap(words),
  });
  addPlaces(map, "places");
  addNames(map, "places");
  addClusters(map, "places", "#0b6247");
  addPins(map, "places");
  showWhatCanBeTapped(map, "places");
  new EmbeddedMap(root, map, said);
}
