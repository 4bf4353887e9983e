/** What the home page asks of the hot application. Positions are WGS-84 degrees on both ways. */
import { type KeptPlace, keep, keptFrom, placesThen } from "./kept";
import { metresBetween } from "./metres";

export type Openness = "yes" | "no" | "unknown";

export interface MapPlace {
  id: string;
  name: string;
  kind: string;
  lon: number;
  lat: number;
  state: Openness;
  /** When the state changes, UTC epoch seconds; null when not within the days ahead. */
  changes_at: number | null;
  /** Codes of the vocabulary. */
  offers: string[];
}

export interface NearPlace extends MapPlace {
  address: string;
  distance_m: number;
  url: string;
}

export interface Answer<T> {
  places: T[];
  total: number;
  /** When this was put into the phone's memory, UTC epoch seconds; null when it comes from the network. */
  savedAt: number | null;
}

export interface Filters {
  text: string;
  open: boolean;
  kind: string;
  offer: string;
}

/** The filters in the page's address, read as the server reads them. */
export function filtersOf(search: string): Filters {
  const query = new URLSearchParams(search);
  return {
    text: (query.get("q") ?? "").trim(),
    open: query.get("open") === "now",
    kind: query.get("kind") ?? "",
    offer: query.get("offer") ?? "",
  };
}

/** Whether a place on the map answers the filters; what answers a text is for the server to say. */
export function answers(place: MapPlace, filters: Filters): boolean {
  return (
    (!filters.open || place.state === "yes") &&
    (!filters.kind || place.kind === filters.kind) &&
    (!filters.offer || place.offers.includes(filters.offer))
  );
}

export const BESIDE_THE_WAY_M = 500;
const WAITS_MS = [700, 2500];

/** Ask; while the server starts anew (502, 503, 504) ask again, twice. */
async function answerOf(address: URL): Promise<{ body: unknown; kept: boolean }> {
  let answer = await fetch(address, { headers: { Accept: "application/json" } });
  for (const wait of WAITS_MS) {
    if (answer.status < 502 || answer.status > 504) break;
    await new Promise((resolve) => setTimeout(resolve, wait));
    answer = await fetch(address, { headers: { Accept: "application/json" } });
  }
  if (!answer.ok) throw new Error(`${address.pathname}: ${answer.status}`);
  return { body: await answer.json(), kept: answer.headers.has("X-Yizhan-Kept") };
}

/** The address of a look-up around a position, which is rounded to about ten metres before it leaves the phone. */
function addressNear(base: string, lon: number, lat: number, filters: Filters): URL {
  const address = new URL(base, location.href);
  const query = address.searchParams;
  query.set("lon", lon.toFixed(4));
  query.set("lat", lat.toFixed(4));
  query.set("datum", "WGS-84");
  query.set("open", filters.open ? "now" : "any");
  if (filters.kind) query.set("kinds", filters.kind);
  if (filters.offer) query.set("offers", filters.offer);
  return address;
}

/** The nearest places, nearest first; without a network those of the kept ones that answer the filters. */
export async function nearest(
  base: string,
  lon: number,
  lat: number,
  filters: Filters,
  count = 20,
): Promise<Answer<NearPlace>> {
  const address = addressNear(base, lon, lat, filters);
  address.searchParams.set("count", String(count));
  const { body, kept } = await answerOf(address);
  if (!kept) {
    const { places } = body as { places: NearPlace[] };
    return { places, total: places.length, savedAt: null };
  }
  const memory = keptFrom(body);
  if (!memory) throw new Error("nothing is kept");
  const places = byDistance(placesThen(memory), lon, lat).filter((place) => answers(place, filters));
  return { places: places.slice(0, count), total: places.length, savedAt: memory.saved_at };
}

/** Kept places by their distance from a position. */
export function byDistance(places: KeptPlace[], lon: number, lat: number): NearPlace[] {
  return places
    .map((place) => ({ ...place, distance_m: metresBetween(lon, lat, place.lon, place.lat) }))
    .sort((a, b) => a.distance_m - b.distance_m);
}

const NO_FILTERS: Filters = { text: "", open: false, kind: "", offer: "" };

/** Keep what lies around a position, whatever the filters are now. */
export async function keepAround(base: string, lon: number, lat: number): Promise<void> {
  const address = addressNear(base, lon, lat, NO_FILTERS);
  address.searchParams.set("count", "50");
  address.searchParams.set("times", "1");
  const { body, kept } = await answerOf(address);
  if (!kept) await keep((body as { places: (NearPlace & KeptPlace)[] }).places);
}

/** What answers a text best, and of what answers as well the nearer first. */
export async function search(
  base: string,
  lon: number,
  lat: number,
  filters: Filters,
  count = 20,
): Promise<Answer<NearPlace>> {
  const address = addressNear(base, lon, lat, filters);
  address.searchParams.set("q", filters.text);
  address.searchParams.set("limit", String(count));
  const { body } = await answerOf(address);
  return { ...(body as { places: NearPlace[]; total: number }), savedAt: null };
}

export interface PlaceOnTheWay extends NearPlace {
  /** Metres from the start of the way to where it passes the place. */
  along_m: number;
  /** Metres there and back, as the crow flies. */
  detour_m: number;
}

/** What lies beside a way, in the order of the ride; the way's corners are rounded to about ten metres. */
export async function along(
  base: string,
  way: [lon: number, lat: number][],
  filters: Filters,
  count = 50,
): Promise<Answer<PlaceOnTheWay>> {
  const [first] = way;
  const address = addressNear(base, first?.[0] ?? 0, first?.[1] ?? 0, filters);
  const query = address.searchParams;
  query.delete("lon");
  query.delete("lat");
  query.set("route", way.map((corner) => corner.map((degrees) => degrees.toFixed(4)).join(",")).join(";"));
  query.set("corridor_m", String(BESIDE_THE_WAY_M));
  query.set("limit", String(count));
  const { body } = await answerOf(address);
  return { ...(body as { places: PlaceOnTheWay[]; total: number }), savedAt: null };
}

type Row = [string, string, string, number, number, Openness, number | null, number[]];

/** Every published place, or those in a box of west, south, east, north. At most five thousand come; `total` says how many there are. */
export async function placesOnMap(base: string, box?: number[]): Promise<Answer<MapPlace>> {
  const address = new URL(base, location.href);
  address.searchParams.set("datum", "WGS-84");
  if (box) address.searchParams.set("bbox", box.map((edge) => edge.toFixed(4)).join(","));
  const { body } = await answerOf(address);
  return { ...placesFrom(body as { total: number; offer_codes: string[]; places: Row[] }), savedAt: null };
}

/** The compact columns as objects. */
export function placesFrom(body: { total: number; offer_codes: string[]; places: Row[] }): {
  total: number;
  places: MapPlace[];
} {
  return {
    total: body.total,
    places: body.places.map(([id, name, kind, lon, lat, state, changes_at, offers]) => ({
      id,
      name,
      kind,
      lon,
      lat,
      state,
      changes_at,
      offers: offers.map((number) => body.offer_codes[number] ?? ""),
    })),
  };
}
