/**
 * Picking positions on a map in the form of a place: the place itself, its door, its e-bike parking. The map speaks
 * WGS-84; the numbers of the form stay in the datum that was chosen, and the server converts between the two, so that
 * nothing is ever written in another datum than the one that stands beside it.
 */
import { Marker } from "maplibre-gl";
import { CHINA, canDrawMaps, createBaseMap, wordsOfTheMap } from "../map/base";
import { say, wordsFrom } from "../words";

type Point = "position" | "entrance" | "parking";
type Position = [lon: number, lat: number];

const POINTS: Point[] = ["position", "entrance", "parking"];
const CLOSE_ZOOM = 17; // marks of one place stand apart
const COLOURS: Record<Point, string> = { position: "#b3211b", entrance: "#0b6247", parking: "#1b5089" };

async function converted(at: Position, datum: string, answer: string): Promise<Position> {
  if (datum === answer) return at;
  const query = new URLSearchParams({ lon: String(at[0]), lat: String(at[1]), datum, answer_datum: answer });
  const found = await fetch(`/api/positions/convert?${query}`);
  if (!found.ok) throw new Error(`${found.status}`);
  const { lon, lat } = (await found.json()) as { lon: number; lat: number };
  return [lon, lat];
}

/** Where the union's places lie; a union without any sees the whole country. */
function boundsOf(text = ""): [number, number, number, number] {
  const [west, south, east, north] = text.split(",").map(Number);
  if (!west || !south || !east || !north) return CHINA;
  return [west - 0.02, south - 0.02, east + 0.02, north + 0.02];
}

class Picker {
  private readonly markers = new Map<Point, Marker>();
  private point: Point = "position";
  private asked = 0;

  private constructor(
    private readonly form: HTMLFormElement,
    private readonly root: HTMLElement,
    private readonly map: import("maplibre-gl").Map,
  ) {}

  static async on(root: HTMLElement): Promise<void> {
    const form = root.closest("form");
    const container = root.querySelector<HTMLElement>("[data-part=map]");
    if (!form || !container || !canDrawMaps()) throw new Error("no map on this device");
    const words = wordsFrom("pick-words");
    root.hidden = false;
    const map = await createBaseMap({
      container,
      tiandituKey: root.dataset.tianditu,
      reviewNumber: root.dataset.reviewNumber,
      bounds: boundsOf(root.dataset.bounds),
      words: wordsOfTheMap(words),
    });
    const picker = new Picker(form, root, map);
    picker.listen();
    await picker.read(true);
    root.dataset.state = "drawn";
  }

  private field(name: string): HTMLInputElement | null {
    const found = this.form.elements.namedItem(name);
    return found instanceof HTMLInputElement ? found : null;
  }

  private fields(point: Point): [lon: HTMLInputElement | null, lat: HTMLInputElement | null] {
    const prefix = point === "position" ? "" : `${point}_`;
    return [this.field(`${prefix}lon`), this.field(`${prefix}lat`)];
  }

  private get datum(): HTMLSelectElement | null {
    const found = this.form.elements.namedItem("datum");
    return found instanceof HTMLSelectElement ? found : null;
  }

  private listen(): void {
    const { map, root, form } = this;
    map.on("click", ({ lngLat }) => void this.put(this.point, [lngLat.lng, lngLat.lat]));
    root.querySelector("[data-part=take]")?.addEventListener("click", () => {
      const { lng, lat } = map.getCenter(); // with the arrow keys the map moves under its cross
      void this.put(this.point, [lng, lat]);
    });
    for (const radio of root.querySelectorAll<HTMLInputElement>("input[type=radio]"))
      radio.addEventListener("change", () => {
        this.point = radio.value as Point;
        this.raise();
        const at = this.markers.get(this.point)?.getLngLat();
        if (at) map.easeTo({ center: at });
      });
    form.addEventListener("change", (event) => {
      const { name = "" } = event.target as HTMLInputElement;
      if (/^((entrance|parking)_)?(lon|lat)$|^datum$/.test(name)) void this.read(false);
    });
  }

  /** Show what the form says. Numbers without a datum lie nowhere. */
  private async read(frame: boolean): Promise<void> {
    this.asked += 1;
    const turn = this.asked;
    const datum = this.datum?.value;
    const seen: Position[] = [];
    for (const point of POINTS) {
      const texts = this.fields(point).map((field) => field?.value.trim() ?? "");
      const numbers = texts.map(Number);
      let at: Position | null = null;
      if (datum && texts.every(Boolean) && numbers.every(Number.isFinite)) {
        at = await converted(numbers as Position, datum, "WGS-84").catch(() => null);
        if (turn !== this.asked) return;
      }
      if (at) seen.push(at);
      this.mark(point, at);
    }
    const [first] = seen;
    if (first && frame) this.map.jumpTo({ center: first, zoom: seen.length > 1 ? CLOSE_ZOOM : 15 });
    else if (first && !this.map.getBounds().contains(first)) this.map.easeTo({ center: first });
  }

  private mark(point: Point, at: Position | null): void {
    const known = this.markers.get(point);
    if (!at) {
      known?.remove();
      this.markers.delete(point);
      return;
    }
    if (known) {
      known.setLngLat(at);
      return;
    }
    const marker = new Marker({ color: COLOURS[point], draggable: true }).setLngLat(at).addTo(this.map);
    const label = this.root.querySelector(`input[value=${point}]`)?.closest("label")?.textContent?.trim();
    marker.getElement().setAttribute("aria-label", label ?? point);
    marker.on("dragend", () => {
      const { lng, lat } = marker.getLngLat();
      void this.put(point, [lng, lat]);
    });
    this.markers.set(point, marker);
    this.raise();
  }

  /** A door stands a few steps from its place: the one that is being picked lies above, for the finger to find it. */
  private raise(): void {
    for (const [point, marker] of this.markers)
      marker.getElement().style.zIndex = point === this.point ? "2" : "1";
  }

  /** Write a position into the form: in the form's datum, or, when none was chosen, as WGS-84. */
  private async put(point: Point, at: Position): Promise<void> {
    const { datum } = this;
    const told = this.root.querySelector<HTMLElement>("[data-part=said]");
    const words = wordsFrom("pick-words");
    if (datum && !datum.value) datum.value = "WGS-84";
    try {
      const entered = await converted(at, "WGS-84", datum?.value ?? "WGS-84");
      this.fields(point).forEach((field, axis) => {
        if (field) field.value = (entered[axis] ?? 0).toFixed(6);
      });
    } catch {
      if (told) told.textContent = say(words, "failed");
      return;
    }
    this.mark(point, at);
    const [lon] = this.fields(point);
    const fold = lon?.closest("details");
    if (fold) fold.open = true;
    const source = this.form.elements.namedItem("position_source");
    if (point === "position" && source instanceof HTMLSelectElement) source.value = "map";
    if (told) {
      const numbers = this.fields(point).map((field) => field?.value ?? "");
      told.textContent = say(words, "taken", { numbers: numbers.join(", "), datum: datum?.value ?? "" });
    }
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-pick]")) {
  Picker.on(root).catch((reason: unknown) => {
    console.warn("No map:", reason);
    root.hidden = true;
  });
}
