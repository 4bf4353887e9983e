/**
 * What happens with a scan: asked of the server, or, without an answer in time, checked here and queued. An answer that never came is no
 * refusal: the same request id goes into the queue, and the server counts it once.
 */
import { CodeRejected, isCode, plainDigits, type Reason, verify } from "./codes";
import { ask, NoAnswer, RefusedByServer, SignInNeeded } from "./server";
import type { Counter, CounterStore, KeptPack, Offer, Queued, Settled } from "./store";

export type Outcome =
  | {
      kind: "redeemed";
      id: string;
      requestId: string;
      workerFen: number;
      offer: string;
      today: { count: number; worker_fen: number };
    }
  | { kind: "queued"; requestId: string; workerFen: number; offer: string; isVoucher: boolean }
  | { kind: "refused"; code: string; words: string }
  | { kind: "ticket"; offer: string; servedAt: string | null; redeemedAt: string };

interface Redeemed {
  id: string;
  offer: string;
  worker_fen: number;
  today: { count: number; worker_fen: number };
}

/** A voucher's sixteen digits, its check digits right (ISO 7064 MOD 97-10). */
export function isVoucher(text: string): boolean {
  const said = plainDigits(text).replace(/-/g, "");
  if (!/^82\d{14}$/.test(said)) return false;
  let rest = 0;
  for (const digit of said) rest = (rest * 10 + Number(digit)) % 97;
  return rest === 1;
}

/** A live ticket of a worker who scanned the plate. */
export function isTicket(text: string): boolean {
  return /^81\d{67}$/.test(plainDigits(text));
}

/** Whether a scanner's text is something to ask the server about at all. */
export function isOurs(text: string): boolean {
  return isCode(text) || isVoucher(text) || isTicket(text);
}

export class Till {
  /** After an answer that never came, scans are not made to wait for another one for a while. */
  private quietUntil = 0;

  constructor(
    private readonly store: CounterStore,
    private readonly device: string,
    public kept: KeptPack,
    private readonly now: () => number = () => Date.now() / 1000,
  ) {}

  /** The server's time as far as this phone knows it, UTC epoch seconds. */
  time(): number {
    return this.now() + this.kept.off_by_s;
  }

  async scan(counter: Counter, offer: Offer, text: string, requestId: string): Promise<Outcome> {
    if (isTicket(text)) return this.ticket(counter, text);
    if (!isOurs(text)) return { kind: "refused", code: "not_a_code", words: "" };
    const key = await this.keyOf(text);
    const usedBy = key ? await this.store.used(key) : null;
    if (usedBy && usedBy !== requestId) return { kind: "refused", code: "code_used", words: "" };
    if (this.now() < this.quietUntil || globalThis.navigator?.onLine === false)
      return this.queue(counter, offer, text, requestId);
    try {
      const done = await ask<Redeemed>(`/api/benefits/counter/${counter.id}/redemptions`, {
        body: { request_id: requestId, device: this.device, offer: offer.id, text: plainDigits(text) },
        csrf: this.kept.pack.csrf,
      });
      if (key) await this.store.markUsed(key, requestId, this.now());
      return {
        kind: "redeemed",
        id: done.id,
        requestId,
        workerFen: done.worker_fen,
        offer: done.offer,
        today: done.today,
      };
    } catch (reason) {
      if (reason instanceof RefusedByServer)
        return { kind: "refused", code: reason.code, words: reason.words };
      // Signed out in the middle of the day: the guests still eat, and the queue waits for the cashier to sign in.
      if (reason instanceof NoAnswer || reason instanceof SignInNeeded) {
        this.quietUntil = this.now() + QUIET_S;
        return this.queue(counter, offer, text, requestId);
      }
      throw reason;
    }
  }

  /** The server answers again. */
  heard(): void {
    this.quietUntil = 0;
  }

  private async queue(counter: Counter, offer: Offer, text: string, requestId: string): Promise<Outcome> {
    let key = plainDigits(text);
    if (isCode(text)) {
      try {
        const code = await verify(text, this.kept.pack.house_keys, this.time());
        if (this.kept.pack.blocked.includes(code.number))
          return { kind: "refused", code: "revoked", words: "" };
        key = `${code.number}-${code.step}-${code.nonce}`;
      } catch (reason) {
        if (reason instanceof CodeRejected)
          return { kind: "refused", code: reason.reason satisfies Reason, words: "" };
        throw reason;
      }
    }
    const item: Queued = {
      request_id: requestId,
      place: counter.id,
      place_name: counter.name,
      offer: offer.id,
      offer_name: offer.name,
      worker_fen: offer.worker_fen,
      text: plainDigits(text),
      scanned_at: new Date(this.time() * 1000).toISOString(),
    };
    if (!(await this.store.enqueue(item, key, this.now())))
      return { kind: "refused", code: "code_used", words: "" };
    return {
      kind: "queued",
      requestId,
      workerFen: offer.worker_fen,
      offer: offer.name,
      isVoucher: isVoucher(text),
    };
  }

  private async ticket(counter: Counter, text: string): Promise<Outcome> {
    try {
      const shown = await ask<{ offer: string; served_at: string | null; redeemed_at: string }>(
        `/api/benefits/counter/${counter.id}/tickets`,
        { body: { text: plainDigits(text) }, csrf: this.kept.pack.csrf },
      );
      return {
        kind: "ticket",
        offer: shown.offer,
        servedAt: shown.served_at,
        redeemedAt: shown.redeemed_at,
      };
    } catch (reason) {
      if (reason instanceof RefusedByServer)
        return { kind: "refused", code: reason.code, words: reason.words };
      return { kind: "refused", code: "ticket_offline", words: "" };
    }
  }

  /** By what this phone knows a code again; the signature is no part of it, since anyone can write it in a second way. */
  private async keyOf(text: string): Promise<string | null> {
    if (!isCode(text)) return plainDigits(text);
    try {
      const code = await verify(text, this.kept.pack.house_keys, this.time());
      return `${code.number}-${code.step}-${code.nonce}`;
    } catch {
      return null; // the server says why
    }
  }

  /**
   * Tell the server what was redeemed without it. What it answered for leaves the queue, nothing else does. Throws as `ask` does; what was
   * told before stays told.
   */
  async upload(): Promise<Settled[]> {
    const all: Settled[] = [];
    const waiting = await this.store.queue();
    for (const place of new Set(waiting.map((item) => item.place))) {
      const here = waiting.filter((item) => item.place === place);
      for (let at = 0; at < here.length; at += AT_ONCE) {
        const part = here.slice(at, at + AT_ONCE);
        const answer = await ask<{ items: { request_id: string; state: string; words: string }[] }>(
          `/api/benefits/counter/${place}/uploads`,
          {
            body: {
              device: this.device,
              items: part.map(({ request_id, offer, text, scanned_at }) => ({
                request_id,
                offer,
                text,
                scanned_at,
              })),
            },
            csrf: this.kept.pack.csrf,
            patienceMs: 30_000,
          },
        );
        const settled = part.flatMap((item) => {
          const found = answer.items.find(({ request_id }) => request_id === item.request_id);
          if (!found) return [];
          const { request_id, offer_name, scanned_at } = item;
          return [{ request_id, offer_name, scanned_at, state: found.state, words: found.words }];
        });
        await this.store.settle(settled);
        all.push(...settled);
      }
    }
    return all;
  }

  async takeBack(counter: Counter, redemption: string, reason: string): Promise<{ count: number }> {
    return ask(`/api/benefits/counter/${counter.id}/redemptions/${redemption}/void`, {
      body: { reason },
      csrf: this.kept.pack.csrf,
    });
  }
}

const AT_ONCE = 50;
const QUIET_S = 20;

/** Fetch the day's pack and keep it. */
export async function freshPack(store: CounterStore, now = () => Date.now() / 1000): Promise<KeptPack> {
  const before = now();
  const pack = await ask<KeptPack["pack"]>("/api/benefits/counter", { patienceMs: 10_000 });
  const after = now();
  const kept = { pack, fetched_at: after, off_by_s: pack.server_time - (before + after) / 2 };
  await store.keepPack(kept);
  return kept;
}

/** 900 → "9", 950 → "9.5": fen as people say yuan. */
export function yuan(fen: number): string {
  const text = (Math.round(fen) / 100).toFixed(2);
  return text.replace(/\.?0+$/, "");
}

/** Whether a time lies in one of the periods ("10:30-14:00"), by the clock in Shanghai; no periods: always. */
export function isWithin(hours: string[], at: Date): boolean {
  const [hour = 0, minute = 0] = SHANGHAI.format(at).split(":").map(Number);
  const now = hour * 60 + minute;
  return (
    hours.length === 0 ||
    hours.some((period) => {
      const [from = 0, until = 0] = period.split("-").map((end) => {
        const [h = 0, m = 0] = end.split(":").map(Number);
        return h * 60 + m;
      });
      return from < until ? from <= now && now < until : now >= from || now < until;
    })
  );
}

const SHANGHAI = new Intl.DateTimeFormat("en-GB", {
  timeZone: "Asia/Shanghai",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
