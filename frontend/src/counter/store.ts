/** What a cashier's phone keeps: the day's pack, the queue of redemptions made without a network, and which codes it has redeemed. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

/** A redemption that the server does not know yet, or whose answer never came. */
export interface Queued {
  request_id: string;
  place: string;
  place_name: string;
  offer: string;
  offer_name: string;
  worker_fen: number;
  text: string;
  /** ISO 8601, by the server's clock as far as this phone knows it. */
  scanned_at: string;
}

/** What became of a queued redemption. */
export interface Settled {
  request_id: string;
  offer_name: string;
  scanned_at: string;
  state: string;
  words: string;
}

export interface Offer {
  id: string;
  name: string;
  programme: string;
  list_price_fen: number;
  worker_fen: number;
  hours: string[];
  takes_paper: boolean;
}

export interface Counter {
  id: string;
  name: string;
  word: string;
  colour: string;
  offers: Offer[];
  today: { count: number; worker_fen: number };
  to_decide: number;
}

export interface Pack {
  server_time: number;
  csrf: string;
  cashier: string;
  counters: Counter[];
  house_keys: Record<string, string>;
  blocked: string[];
  /** Carriers by which workers may pay by phone; none: cash or the merchant's till. */
  pays_by: string[];
}

/** The pack as it was fetched; `off_by_s` is what to add to this phone's clock to have the server's. */
export interface KeptPack {
  pack: Pack;
  fetched_at: number;
  off_by_s: number;
}

interface Schema extends DBSchema {
  facts: { key: string; value: unknown };
  queue: { key: string; value: Queued };
  used: { key: string; value: { at: number; request_id: string } };
  settled: { key: string; value: Settled };
}

const USED_FOR_S = 3 * 86_400;
const SETTLED_SHOWN = 50;

export class CounterStore {
  private constructor(private readonly database: IDBPDatabase<Schema>) {}

  static async open(name = "yizhan-counter"): Promise<CounterStore> {
    return new CounterStore(
      await openDB<Schema>(name, 1, {
        upgrade(database) {
          database.createObjectStore("facts");
          database.createObjectStore("queue", { keyPath: "request_id" });
          database.createObjectStore("used");
          database.createObjectStore("settled", { keyPath: "request_id" });
        },
      }),
    );
  }

  /** The name of this phone, made once. */
  async device(): Promise<string> {
    const tx = this.database.transaction("facts", "readwrite");
    const kept = await tx.store.get("device");
    const device = typeof kept === "string" ? kept : crypto.randomUUID();
    if (kept !== device) await tx.store.put(device, "device");
    await tx.done;
    return device;
  }

  async pack(): Promise<KeptPack | null> {
    return ((await this.database.get("facts", "pack")) as KeptPack | undefined) ?? null;
  }

  async keepPack(kept: KeptPack): Promise<void> {
    await this.database.put("facts", kept, "pack");
  }

  /** By what a code was redeemed on this phone, if it was. */
  async used(code: string): Promise<string | null> {
    return (await this.database.get("used", code))?.request_id ?? null;
  }

  /**
   * Take a redemption into the queue, together with the mark that its code is used: both or neither. False: another scan of the same
   * code was faster.
   */
  async enqueue(item: Queued, code: string, at: number): Promise<boolean> {
    const tx = this.database.transaction(["queue", "used"], "readwrite");
    const used = await tx.objectStore("used").get(code);
    if (used && used.request_id !== item.request_id) {
      await tx.done;
      return false;
    }
    await tx.objectStore("used").put({ at, request_id: item.request_id }, code);
    await tx.objectStore("queue").put(item);
    await tx.done;
    return true;
  }

  /** The server has redeemed this code: a second scan here is refused without asking. */
  async markUsed(code: string, requestId: string, at: number): Promise<void> {
    await this.database.put("used", { at, request_id: requestId }, code);
  }

  async queue(): Promise<Queued[]> {
    const items = await this.database.getAll("queue");
    return items.sort((one, other) => one.scanned_at.localeCompare(other.scanned_at));
  }

  /** The server answered for these: they leave the queue, and what became of them is kept to be read. */
  async settle(settled: Settled[]): Promise<void> {
    const tx = this.database.transaction(["queue", "settled"], "readwrite");
    for (const one of settled) {
      await tx.objectStore("queue").delete(one.request_id);
      await tx.objectStore("settled").put(one);
    }
    await tx.done;
  }

  /** What became of queued redemptions, the newest first. */
  async settled(): Promise<Settled[]> {
    const found = await this.database.getAll("settled");
    return found.sort((one, other) => other.scanned_at.localeCompare(one.scanned_at)).slice(0, SETTLED_SHOWN);
  }

  /** Forget marks of codes that are too old to be shown again, and all but the latest outcomes. */
  async tidy(now: number): Promise<void> {
    const keep = new Set((await this.settled()).map(({ request_id }) => request_id));
    const tx = this.database.transaction(["used", "settled"], "readwrite");
    for (let cursor = await tx.objectStore("used").openCursor(); cursor; cursor = await cursor.continue())
      if (now - cursor.value.at > USED_FOR_S) await cursor.delete();
    for (const key of await tx.objectStore("settled").getAllKeys())
      if (!keep.has(key)) await tx.objectStore("settled").delete(key);
    await tx.done;
  }

  close(): void {
    this.database.close();
  }
}
