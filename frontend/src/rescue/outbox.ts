/**
 * A call for help that waits on the phone for a network. It is written down before anything is sent, and carries the
 * request id by which the server takes it once, however often it arrives. One phone has one call: a newer one takes the
 * place of one that was never sent.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { passing, post } from "../posting";

export interface WaitingCall {
  /** Request id, made on this phone. */
  id: string;
  problem: string;
  is_injured: boolean | null;
  lon: number;
  lat: number;
  accuracy_m: number | null;
  words: string;
  contact_phone: string;
  photo: Blob | null;
  /** When it was made by the phone's clock, ISO 8601. */
  called_at: string;
}

export type Outcome =
  | { kind: "sent"; token: string }
  | { kind: "refused"; reason: string }
  | { kind: "waits" };

interface Calls extends DBSchema {
  calls: { key: string; value: WaitingCall };
}

const SENDING = { credentials: "same-origin", patienceMs: 15_000 } as const;

async function opened(): Promise<IDBPDatabase<Calls>> {
  return openDB<Calls>("yizhan-rescue", 1, {
    upgrade: (db) => {
      db.createObjectStore("calls", { keyPath: "id" });
    },
  });
}

/** Write the call down, in the place of any other. */
export async function keepCall(call: WaitingCall): Promise<void> {
  const db = await opened();
  const write = db.transaction("calls", "readwrite");
  await write.store.clear();
  await write.store.put(call);
  await write.done;
  db.close();
}

/** The call that waits here, if any. */
export async function waitingCall(): Promise<WaitingCall | undefined> {
  const db = await opened();
  const [first] = await db.getAll("calls");
  db.close();
  return first;
}

/** Forget it. */
export async function forgetCall(id: string): Promise<void> {
  const db = await opened();
  await db.delete("calls", id);
  db.close();
}

/** Send a call; what is sent or refused is forgotten here. */
export async function sendCall(call: WaitingCall): Promise<Outcome> {
  try {
    const { id: request_id, photo, ...facts } = call;
    const answer = await post("/api/rescue/calls", JSON.stringify({ request_id, ...facts }), {
      ...SENDING,
      headers: { "Content-Type": "application/json" },
    });
    if (passing(answer)) return { kind: "waits" };
    if (!answer.ok) {
      const problem = (await answer.json().catch(() => ({}))) as {
        title?: string;
        errors?: { rule: string }[];
      };
      const reason = (problem.errors ?? []).map(({ rule }) => rule).join(" ") || problem.title || "";
      await forgetCall(call.id);
      return { kind: "refused", reason };
    }
    const { token } = (await answer.json()) as { token: string };
    if (photo) {
      const form = new FormData();
      form.set("photo", photo, "photo.jpg");
      form.set("request_id", request_id);
      // The call is what counts: a photo that does not arrive can be sent again from the live page.
      await post(`/api/rescue/calls/${token}/photos`, form, SENDING).catch(() => undefined);
    }
    await forgetCall(call.id);
    return { kind: "sent", token };
  } catch {
    return { kind: "waits" };
  }
}
