/**
 * Reports that wait on the phone for a network. Each is written down before anything is sent, and carries the request id
 * by which the server counts it once, however often it arrives: so a lost answer, a closed page or two senders at once
 * do no harm.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { passing, post } from "../posting";

export interface Waiting {
  /** Request id, made on this phone. */
  id: string;
  place: string;
  /** The place's name, for the words on this phone. */
  name: string;
  kind: string;
  words: string;
  photo: Blob | null;
  /** When it was filed, UTC epoch milliseconds. */
  at: number;
  /** The receipt's secret, once the server has the report and only the photo is missing. */
  token?: string;
  /** What became of it. */
  outcome?: "sent" | "refused";
}

interface Reports extends DBSchema {
  reports: { key: string; value: Waiting };
}

export const WAKE = "yizhan-reports"; // the tag under which the browser wakes the service worker
const SENDING = { credentials: "omit", patienceMs: 20_000 } as const;
const REMEMBERED_MS = 7 * 86_400_000;

function opened(): Promise<IDBPDatabase<Reports>> {
  return openDB<Reports>("yizhan-reports", 1, {
    upgrade: (db) => {
      db.createObjectStore("reports", { keyPath: "id" });
    },
  });
}

/** Write a report down on this phone. */
export async function keepReport(report: Waiting): Promise<void> {
  const db = await opened();
  await db.put("reports", report);
  db.close();
}

/** All that was written down here: waiting, just sent, refused. */
export async function allReports(): Promise<Waiting[]> {
  const db = await opened();
  const found = await db.getAll("reports");
  db.close();
  return found.sort((a, b) => a.at - b.at);
}

/**
 * Note what became of a report, if it is still known here: the page and the service worker may send the same one at
 * once, and whoever is later must not bring back what its reader has forgotten, nor take back what the other noted.
 */
export async function noteReport(id: string, changes: Partial<Waiting>): Promise<void> {
  const db = await opened();
  const write = db.transaction("reports", "readwrite");
  const known = await write.store.get(id);
  if (known) await write.store.put({ ...known, ...changes });
  await write.done;
  db.close();
}

/** Forget a report on this phone. */
export async function forgetReport(id: string): Promise<void> {
  const db = await opened();
  await db.delete("reports", id);
  db.close();
}

/** Ask the browser to wake the service worker once there is a network; not every browser can. */
export async function askToBeWoken(): Promise<void> {
  try {
    const worker = (await navigator.serviceWorker.getRegistration()) as
      | (ServiceWorkerRegistration & { sync?: { register(tag: string): Promise<void> } })
      | undefined;
    await worker?.sync?.register(WAKE);
  } catch {
    // The next page that is opened with a network sends it.
  }
}

/** Send one report with its photo. Returns it with its outcome, or as it now waits. */
export async function send(report: Waiting): Promise<Waiting> {
  let now = report;
  const note = async (changes: Partial<Waiting>): Promise<void> => {
    now = { ...now, ...changes };
    await noteReport(now.id, changes).catch(() => undefined);
  };
  try {
    if (!now.token) {
      const { id: request_id, kind, words } = now;
      const answer = await post(
        `/api/places/${encodeURIComponent(now.place)}/reports`,
        JSON.stringify({ request_id, kind, words }),
        { ...SENDING, headers: { "Content-Type": "application/json" } },
      );
      if (passing(answer)) return now;
      if (!answer.ok) {
        await note({ outcome: "refused", photo: null });
        return now;
      }
      await note({ token: ((await answer.json()) as { token: string }).token });
    }
    if (now.photo) {
      const form = new FormData();
      form.set("photo", now.photo, "photo");
      const answer = await post(`/api/reports/${now.token}/photos`, form, SENDING);
      if (passing(answer)) return now;
    }
    await note({ outcome: "sent", photo: null });
  } catch {
    // No network: it waits.
  }
  return now;
}

/**
 * Send whatever waits; forget what was told long ago. Returns everything that is known here afterwards. Pages and the
 * service worker take turns where the browser can: what one has sent the next need not send again.
 */
export function sendAll(): Promise<Waiting[]> {
  const locks = globalThis.navigator?.locks;
  return locks ? locks.request(WAKE, sendInTurn) : sendInTurn();
}

async function sendInTurn(): Promise<Waiting[]> {
  for (const report of await allReports()) {
    if (!report.outcome) await send(report);
    else if (Date.now() - report.at > REMEMBERED_MS) await forgetReport(report.id);
  }
  return allReports(); // not what we began with: a report may have been forgotten, or told, meanwhile
}
