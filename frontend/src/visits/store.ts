/**
 * What a cadre's phone keeps of visits: the visits that wait for a network, and what it took along (names of the people one is
 * linked with, today's round). What waits exists nowhere else, so nothing removes it but the server's answer or the cadre.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

export interface Facts {
  kind: string;
  at: string;
  where: string;
  minutes: number | null;
  company: string;
  place: string | null;
  union: string | null;
  stop: string | null;
  lon: number | null;
  lat: number | null;
  counted: number;
  people: string[];
  words: string;
}

export interface Need {
  client_id: string;
  title: string;
  worker: string | null;
}

export interface Visit {
  client_id: string;
  id: string;
  url: string;
  revision: number;
  facts: Facts;
  needs: string[];
  photos: number;
}

export interface Difference {
  field: string;
  label: string;
  present: string;
  yours: string;
}

export interface Conflict {
  visit: Visit;
  yours: Facts;
  differences: Difference[];
  request_id: string;
}

/** A visit that the server does not have yet, as it was written down here. */
export interface Draft {
  client_id: string;
  /** Of this save; the server answers it once, however often it arrives. */
  request_id: string;
  /** The revision on which it is based; 0: a new visit. */
  base: number;
  facts: Facts;
  needs: Need[];
  photos: { id: string; file: Blob }[];
  /** The post in which it was written, and its holder's name. */
  post: string;
  name: string;
  saved_at: number;
  state: "waits" | "conflict" | "refused";
  words: string;
  conflict?: Conflict;
  /** The save that was set aside and is settled by this one. */
  settles?: string;
}

export interface Stop {
  id: string;
  name: string;
  kind: string;
  address: string;
  note: string;
  place: string | null;
  union: string | null;
  worker: string | null;
  lon: number | null;
  lat: number | null;
}

export interface Kit {
  post: string;
  name: string;
  union: string;
  csrf: string;
  stops: Stop[];
  workers: { id: string; name: string }[];
  unions: { id: string; name: string }[];
  recent: Visit[];
}

interface Schema extends DBSchema {
  kit: { key: string; value: { kit: Kit; at: number } };
  drafts: { key: string; value: Draft };
}

const KEPT_FOR_MS = 7 * 86_400_000;

async function opened(): Promise<IDBPDatabase<Schema>> {
  return openDB<Schema>("yizhan-visits", 1, {
    upgrade(database) {
      database.createObjectStore("kit");
      database.createObjectStore("drafts", { keyPath: "client_id" });
    },
  });
}

async function using<T>(act: (database: IDBPDatabase<Schema>) => Promise<T>): Promise<T> {
  const database = await opened();
  try {
    return await act(database);
  } finally {
    database.close();
  }
}

/** What was taken along, unless it is too old. Its token is not for writing: that comes fresh. */
export async function keptKit(now = Date.now()): Promise<{ kit: Kit; at: number } | undefined> {
  const kept = await using((database) => database.get("kit", "mine"));
  if (kept && now - kept.at > KEPT_FOR_MS) {
    await forgetKit();
    return undefined;
  }
  return kept;
}

/** Take along what the server gave. */
export async function keepKit(kit: Kit, at = Date.now()): Promise<void> {
  await using((database) => database.put("kit", { kit: { ...kit, csrf: "" }, at }, "mine"));
}

/** Forget names and rounds; what waits to be sent stays. */
export async function forgetKit(): Promise<void> {
  await using((database) => database.clear("kit"));
}

/** What waits, oldest first. */
export async function drafts(): Promise<Draft[]> {
  const found = await using((database) => database.getAll("drafts"));
  return found.sort((one, other) => one.saved_at - other.saved_at);
}

/** Write a visit down. */
export async function keepDraft(draft: Draft): Promise<void> {
  await using((database) => database.put("drafts", draft));
}

/** Throw a visit away that waits here. */
export async function dropDraft(clientId: string): Promise<void> {
  await using((database) => database.delete("drafts", clientId));
}

/**
 * Change what waits under this id, if it is still the save that was sent: whoever wrote meanwhile has written a newer one, which
 * stays. `next` gives the draft to keep, or nothing to remove it.
 */
export async function settleDraft(
  clientId: string,
  requestId: string,
  next: (draft: Draft) => Draft | undefined,
): Promise<void> {
  await using(async (database) => {
    const work = database.transaction("drafts", "readwrite");
    const found = await work.store.get(clientId);
    if (found?.request_id === requestId) {
      const kept = next(found);
      if (kept) await work.store.put(kept);
      else await work.store.delete(clientId);
    }
    await work.done;
  });
}
