/**
 * The places around the reader's last position, kept on the phone for when there is no network. The position itself is
 * not kept, nor any distance from which it could be worked out.
 */
import type { MapPlace, NearPlace, Openness } from "./api";

export interface KeptPlace extends MapPlace {
  address: string;
  url: string;
  /** When it is open in the days ahead, UTC epoch seconds. */
  times?: [number, number][];
}

export interface Kept {
  /** UTC epoch seconds. */
  saved_at: number;
  places: KeptPlace[];
}

const CACHE = "yizhan-places";
export const KEY = "/api/places/nearest";
const KNOWN_AHEAD_S = 7 * 86_400; // the server tells hours for eight days
const ALWAYS_S = 2 ** 52;

/** Keep these places as the ones around the last position. */
export async function keep(places: (NearPlace & KeptPlace)[]): Promise<void> {
  if (!("caches" in globalThis)) return;
  const kept: Kept = {
    saved_at: Math.floor(Date.now() / 1000),
    places: places.map(({ distance_m: _, ...place }) => place),
  };
  const body = new Response(JSON.stringify(kept), { headers: { "Content-Type": "application/json" } });
  await (await caches.open(CACHE)).put(KEY, body);
}

/** What was kept, or null. */
export async function kept(): Promise<Kept | null> {
  if (!("caches" in globalThis)) return null;
  const found = await (await caches.open(CACHE)).match(KEY);
  return found ? keptFrom(await found.json()) : null;
}

/** What was kept, from its JSON; what an earlier release kept does not count. */
export function keptFrom(body: unknown): Kept | null {
  const { saved_at, places } = (body ?? {}) as Partial<Kept>;
  return typeof saved_at === "number" && Array.isArray(places) ? { saved_at, places } : null;
}

/** Whether a kept place is open at a time, by the hours that were known when it was kept. */
export function stateThen(
  place: KeptPlace,
  savedAt: number,
  now: number,
): { state: Openness; changes_at: number | null } {
  const { times } = place;
  if (place.state === "unknown" || !times) return { state: "unknown", changes_at: null };
  const around = times.find(([from, until]) => from <= now && now < until);
  if (around && around[1] > ALWAYS_S) return { state: "yes", changes_at: null };
  if (now - savedAt > KNOWN_AHEAD_S) return { state: "unknown", changes_at: null };
  if (around) return { state: "yes", changes_at: around[1] };
  const next = times.find(([from]) => from > now);
  return { state: "no", changes_at: next ? next[0] : null };
}

/** The kept places as they are at a time. */
export function placesThen({ saved_at, places }: Kept, now = Date.now() / 1000): KeptPlace[] {
  return places.map((place) => ({ ...place, ...stateThen(place, saved_at, now) }));
}
