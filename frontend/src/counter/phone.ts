/** What a worker's phone keeps for its codes: a key that cannot be read, and the server's certificate for it. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import { certificateRequest, fromBase64Url, newKeyPair, signCode } from "./codes";
import { ask, NoAnswer, RefusedByServer, SignInNeeded } from "./server";

export interface KeptKey {
  pair: CryptoKeyPair;
  /** Base64url. */
  certificate: string;
  /** UTC epoch seconds. */
  valid_until: number;
  holder: string;
  /** What to add to this phone's clock to have the server's. */
  off_by_s: number;
}

interface Schema extends DBSchema {
  facts: { key: string; value: KeptKey };
}

const CERTIFIED_FOR_S = 7 * 86_400;

/** What the phone can do just now. */
export type State =
  | { can: "show"; key: KeptKey; online: boolean }
  | { can: "nothing"; why: "sign_in" | "first_time" | "expired" | "refused"; words?: string };

export class WorkersPhone {
  private constructor(
    private readonly database: IDBPDatabase<Schema>,
    private readonly now: () => number,
  ) {}

  static async open(name = "yizhan-phone", now = () => Date.now() / 1000): Promise<WorkersPhone> {
    return new WorkersPhone(
      await openDB<Schema>(name, 1, { upgrade: (database) => void database.createObjectStore("facts") }),
      now,
    );
  }

  /** Make sure that there is a valid certificate of whoever is signed in; without a network, use what is kept. */
  async prepare(): Promise<State> {
    const kept = (await this.database.get("facts", "key")) ?? null;
    try {
      const key = await this.online(kept);
      return { can: "show", key, online: true };
    } catch (reason) {
      if (reason instanceof SignInNeeded) {
        await this.forget(); // whoever signed out here leaves no codes behind
        return { can: "nothing", why: "sign_in" };
      }
      if (reason instanceof RefusedByServer) return { can: "nothing", why: "refused", words: reason.words };
      if (!(reason instanceof NoAnswer)) throw reason;
      if (!kept) return { can: "nothing", why: "first_time" };
      if (this.now() + kept.off_by_s >= kept.valid_until) return { can: "nothing", why: "expired" };
      return { can: "show", key: kept, online: false };
    }
  }

  /** The digits of the code for now. */
  async code(key: KeptKey): Promise<string> {
    return signCode(fromBase64Url(key.certificate), key.pair.privateKey, this.time(key));
  }

  /** The server's time as far as this phone knows it. */
  time(key: KeptKey): number {
    return this.now() + key.off_by_s;
  }

  async forget(): Promise<void> {
    await this.database.delete("facts", "key");
  }

  close(): void {
    this.database.close();
  }

  private async online(kept: KeptKey | null): Promise<KeptKey> {
    const before = this.now();
    const me = await ask<{ server_time: number; holder: string; csrf: string }>("/api/benefits/phone", {
      patienceMs: 6000,
    });
    const offBy = me.server_time - (before + this.now()) / 2;
    let key = kept && kept.holder === me.holder ? { ...kept, off_by_s: offBy } : null;
    if (key && key.valid_until - me.server_time > CERTIFIED_FOR_S / 2) {
      await this.database.put("facts", key, "key");
      return key;
    }
    try {
      key = await this.certified(key?.pair ?? (await newKeyPair()), me, offBy);
    } catch (reason) {
      // A key that was blocked, or of someone else's: a new one is made, which the worker's list of phones shows.
      if (!(reason instanceof RefusedByServer) || !key) throw reason;
      key = await this.certified(await newKeyPair(), me, offBy);
    }
    await this.database.put("facts", key, "key");
    return key;
  }

  private async certified(
    pair: CryptoKeyPair,
    me: { holder: string; csrf: string },
    offBy: number,
  ): Promise<KeptKey> {
    const made = await ask<{ certificate: string; valid_until: number }>("/api/benefits/phone/certificates", {
      body: { ...(await certificateRequest(pair)), name: phoneName() },
      csrf: me.csrf,
      patienceMs: 8000,
    });
    return { pair, ...made, holder: me.holder, off_by_s: offBy };
  }
}

/** What the worker recognises the phone by: its model if the browser tells it, else its system. */
function phoneName(): string {
  const agent = navigator.userAgent ?? "";
  const model = /Android [\d.]+; ([^;)]+)/.exec(agent)?.[1];
  const system = /Android|iPhone|iPad|HarmonyOS|Windows|Mac OS|Linux/.exec(agent)?.[0];
  return (model && model !== "K" ? model : (system ?? "")).slice(0, 60);
}
