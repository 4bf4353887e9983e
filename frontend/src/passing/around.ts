/** The stations around, as the server gives them by tiles of half a degree: all that it learns of where the phone is. */
import type { Around, Station } from "./rule";

export interface Tile extends Around {
  version: number;
  /** Until when the hours are known, epoch seconds. */
  valid_until: number | null;
  services: readonly string[];
  stations: readonly (Station & { name: string })[];
}

const KEPT = "yizhan-stations";
const BASE = "/api/live/stations/";
const NONE_SUCH = -1; // a service that no station here has a number for

/** The tile in which a position lies. */
export function tileAt(lon: number, lat: number): string {
  return `${Math.floor(lon * 2)}_${Math.floor(lat * 2)}`;
}

/** Fetch a tile; without a network, the one that was kept, as long as its hours are known. */
export async function fetchTile(name: string, now = Date.now()): Promise<Tile> {
  try {
    const answer = await fetch(BASE + name, { credentials: "omit" });
    if (!answer.ok) throw new Error(`${BASE}${name}: ${answer.status}`);
    if ("caches" in globalThis) {
      await caches.delete(KEPT); // one tile is enough: which ones a phone was in is nobody's business
      await (await caches.open(KEPT)).put(BASE + name, answer.clone());
    }
    return (await answer.json()) as Tile;
  } catch (reason) {
    const kept = "caches" in globalThis ? await (await caches.open(KEPT)).match(BASE + name) : undefined;
    const tile = kept ? ((await kept.json()) as Tile) : null;
    if (tile?.valid_until && tile.valid_until * 1000 > now) return tile;
    throw reason;
  }
}

/** The services that were chosen, by their numbers in this tile. */
export function askedIn(tile: Tile, codes: readonly string[]): number[] {
  return codes.map((code) => {
    const at = tile.services.indexOf(code);
    return at < 0 ? NONE_SUCH : at;
  });
}

/** When a station that is open at a moment closes (epoch seconds); null when it never does. */
export function openUntil(tile: Tile, station: Station, second: number): number | null {
  const now = (tile.hours[station.hours] ?? []).find(([start, end]) => start <= second && second < end);
  return now && now[1] < 2 ** 40 ? now[1] : null;
}
