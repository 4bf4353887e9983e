import "fake-indexeddb/auto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import vectors from "../../tests/benefits/code_vectors.json";
import { fromBase64Url, signCode } from "../src/counter/codes";
import { isPaymentCode, takePayment } from "../src/counter/paying";
import { WorkersPhone } from "../src/counter/phone";
import { freshPack, isTicket, isVoucher, isWithin, Till, yuan } from "../src/counter/scanning";
import { type Counter, CounterStore, type KeptPack } from "../src/counter/store";

const OFFER = {
  id: "0f0f0f0f-0000-7000-8000-000000000001",
  name: "九元套餐",
  programme: "惠骑餐厅",
  list_price_fen: 1500,
  worker_fen: 900,
  hours: ["10:30-14:00"],
  takes_paper: true,
};
const COUNTER: Counter = {
  id: "0f0f0f0f-0000-7000-8000-000000000002",
  name: "老张烩面",
  word: "白鹭",
  colour: "red",
  offers: [OFFER],
  today: { count: 0, worker_fen: 0 },
  to_decide: 0,
};
const KEPT: KeptPack = {
  pack: {
    server_time: vectors.noon,
    csrf: "token",
    cashier: "王秀英",
    counters: [COUNTER],
    house_keys: vectors.house_keys,
    blocked: [],
    pays_by: [],
  },
  fetched_at: vectors.noon,
  off_by_s: 0,
};

/** The server as this phone finds it: gone, or answering with what is given, in turn. */
type Answer = "gone" | { status: number; body: unknown };
let asked: { path: string; body: { request_id?: string; items?: { request_id: string }[] } }[] = [];

function serverSays(...answers: Answer[]): void {
  const queue = [...answers];
  vi.stubGlobal("fetch", async (path: string, options: RequestInit) => {
    asked.push({ path, body: options.body ? JSON.parse(String(options.body)) : {} });
    const answer = queue.length > 1 ? queue.shift() : queue[0];
    if (!answer || answer === "gone") throw new TypeError("network");
    return Response.json(answer.body, { status: answer.status });
  });
}

async function code(at = vectors.noon, nonce?: number): Promise<string> {
  const key = await crypto.subtle.importKey(
    "pkcs8",
    fromBase64Url(vectors.phone_key_pkcs8),
    { name: "ECDSA", namedCurve: "P-256" },
    false,
    ["sign"],
  );
  return signCode(fromBase64Url(vectors.issued), key, at, nonce);
}

const redeemed = {
  status: 200,
  body: { id: "r1", offer: "九元套餐", worker_fen: 900, today: { count: 1, worker_fen: 900 } },
};

let store: CounterStore;
let time = vectors.noon;
let number = 0;
const tillOf = (kept = KEPT) => new Till(store, "phone-0001", kept, () => time);

beforeEach(async () => {
  time = vectors.noon;
  asked = [];
  number += 1;
  store = await CounterStore.open(`counter-${number}`);
});
afterEach(() => {
  store.close();
  vi.unstubAllGlobals();
});

describe("at the counter, with a network", () => {
  test("a scan is asked of the server and nothing is queued", async () => {
    serverSays(redeemed);
    expect(await tillOf().scan(COUNTER, OFFER, await code(), "id-1")).toMatchObject({
      kind: "redeemed",
      workerFen: 900,
    });
    expect(await store.queue()).toEqual([]);
  });
  test("the server's refusal is said in its words, and the same code may be tried again", async () => {
    serverSays({ status: 409, body: { code: "quota_day", words: "现在不能核销" } }, redeemed);
    const till = tillOf();
    const text = await code();
    expect(await till.scan(COUNTER, OFFER, text, "id-1")).toEqual({
      kind: "refused",
      code: "quota_day",
      words: "现在不能核销",
    });
    expect((await till.scan(COUNTER, OFFER, text, "id-2")).kind).toBe("redeemed");
  });
  test("a code that was redeemed here is refused without asking", async () => {
    serverSays(redeemed);
    const till = tillOf();
    const text = await code();
    await till.scan(COUNTER, OFFER, text, "id-1");
    expect(await till.scan(COUNTER, OFFER, text, "id-2")).toMatchObject({ code: "code_used" });
    expect(asked).toHaveLength(1);
  });
  test("what is none of ours is not sent anywhere", async () => {
    serverSays(redeemed);
    expect(await tillOf().scan(COUNTER, OFFER, "https://example.cn", "id-1")).toMatchObject({
      code: "not_a_code",
    });
    expect(asked).toEqual([]);
  });
});

describe("at the counter, without a network", () => {
  test("a genuine code is queued under the id that the server may have seen already", async () => {
    serverSays("gone");
    const text = await code();
    expect(await tillOf().scan(COUNTER, OFFER, text, "id-1")).toMatchObject({
      kind: "queued",
      workerFen: 900,
    });
    expect(asked[0]?.body.request_id).toBe("id-1");
    expect(await store.queue()).toMatchObject([{ request_id: "id-1", text, place: COUNTER.id }]);
  });
  test("the next guest does not wait for a server that has just not answered", async () => {
    serverSays("gone");
    const till = tillOf();
    await till.scan(COUNTER, OFFER, await code(), "id-1");
    await till.scan(COUNTER, OFFER, await code(), "id-2");
    expect(asked).toHaveLength(1);
    till.heard();
    await till.scan(COUNTER, OFFER, await code(), "id-3");
    expect(asked).toHaveLength(2);
  });
  test.each([
    ["forged", vectors.cases.find(({ name }) => name === "another phone")?.text ?? ""],
    ["expired", vectors.cases.find(({ name }) => name === "on its last second")?.text ?? ""],
  ])("a code that is %s is refused and not queued", async (reason, text) => {
    serverSays("gone");
    expect(await tillOf().scan(COUNTER, OFFER, text, "id-1")).toMatchObject({
      kind: "refused",
      code: reason,
    });
    expect(await store.queue()).toEqual([]);
  });
  test("a code that grew old is refused, by the server's clock and not the phone's", async () => {
    serverSays("gone");
    time = vectors.noon - 3600; // this phone is an hour late, and knows it
    const till = tillOf({ ...KEPT, off_by_s: 3600 + 200 });
    expect(await till.scan(COUNTER, OFFER, await code(), "id-1")).toMatchObject({ code: "too_old" });
    expect((await till.scan(COUNTER, OFFER, await code(vectors.noon + 200), "id-2")).kind).toBe("queued");
  });
  test("a blocked phone is refused by the day's list", async () => {
    serverSays("gone");
    const blocked = { ...KEPT, pack: { ...KEPT.pack, blocked: [vectors.number] } };
    expect(await tillOf(blocked).scan(COUNTER, OFFER, await code(), "id-1")).toMatchObject({
      code: "revoked",
    });
  });
  test("one code is queued once, also when two scans of it run at the same time", async () => {
    serverSays("gone");
    const till = tillOf();
    const text = await code();
    const both = await Promise.all([
      till.scan(COUNTER, OFFER, text, "id-1"),
      till.scan(COUNTER, OFFER, text, "id-2"),
    ]);
    expect(both.map(({ kind }) => kind).sort()).toEqual(["queued", "refused"]);
    expect(await store.queue()).toHaveLength(1);
  });
  test("a broken server is no refusal", async () => {
    serverSays({ status: 502, body: "<html>" });
    expect((await tillOf().scan(COUNTER, OFFER, await code(), "id-1")).kind).toBe("queued");
  });
  test("who was signed out meanwhile goes on, and the queue waits", async () => {
    serverSays({ status: 401, body: {} });
    expect((await tillOf().scan(COUNTER, OFFER, await code(), "id-1")).kind).toBe("queued");
    await expect(tillOf().upload()).rejects.toThrow();
    expect(await store.queue()).toHaveLength(1);
  });
});

describe("the queue", () => {
  async function three(): Promise<Till> {
    serverSays("gone");
    const till = tillOf();
    for (const [nonce, id] of ["id-1", "id-2", "id-3"].entries())
      await till.scan(COUNTER, OFFER, await code(vectors.noon, nonce), id);
    asked = [];
    return till;
  }
  const accepted = (...ids: string[]) => ({
    status: 200,
    body: { items: ids.map((id) => ({ request_id: id, state: "accepted", words: "已入账" })) },
  });

  test("is emptied only by the server's answer", async () => {
    const till = await three();
    await expect(till.upload()).rejects.toThrow();
    expect(await store.queue()).toHaveLength(3);
    serverSays(accepted("id-1", "id-2", "id-3"));
    await till.upload();
    expect(await store.queue()).toEqual([]);
    expect(await store.settled()).toHaveLength(3);
  });
  test("keeps what the server did not answer for, and tells it again under the same id", async () => {
    const till = await three();
    serverSays(accepted("id-1"), "gone");
    await till.upload();
    expect((await store.queue()).map(({ request_id }) => request_id)).toEqual(["id-2", "id-3"]);
    asked = [];
    await till.upload().catch(() => undefined);
    expect(asked[0]?.body.items?.map(({ request_id }) => request_id)).toEqual(["id-2", "id-3"]);
  });
  test("shows what finance has to decide", async () => {
    const till = await three();
    serverSays({
      status: 200,
      body: { items: [{ request_id: "id-1", state: "exception", words: "此码已核销过" }] },
    });
    await till.upload();
    expect(await store.settled()).toMatchObject([{ state: "exception", words: "此码已核销过" }]);
  });
  test("outlives the page", async () => {
    await three();
    store.close();
    store = await CounterStore.open(`counter-${number}`);
    expect(await store.queue()).toHaveLength(3);
  });
});

describe("a worker's phone", () => {
  const me = { status: 200, body: { server_time: vectors.noon, holder: "worker-1", csrf: "t" } };
  const made = {
    status: 201,
    body: { certificate: vectors.issued, valid_until: vectors.noon + 7 * 86_400, server_time: vectors.noon },
  };
  let phone: WorkersPhone;
  beforeEach(async () => {
    phone = await WorkersPhone.open(`phone-${number}`, () => time);
  });
  afterEach(() => phone.close());

  test("shows codes for days without a network, once it was certified", async () => {
    serverSays(me, made);
    expect(await phone.prepare()).toMatchObject({ can: "show", online: true });
    serverSays("gone");
    time += 6 * 86_400;
    const state = await phone.prepare();
    expect(state).toMatchObject({ can: "show", online: false });
    if (state.can === "show") expect(await phone.code(state.key)).toMatch(/^80\d{444}$/);
    time += 2 * 86_400;
    expect(await phone.prepare()).toEqual({ can: "nothing", why: "expired" });
  });
  test("leaves no codes behind for who comes after signing out", async () => {
    serverSays(me, made);
    await phone.prepare();
    serverSays({ status: 401, body: {} });
    expect(await phone.prepare()).toEqual({ can: "nothing", why: "sign_in" });
    serverSays("gone");
    expect(await phone.prepare()).toEqual({ can: "nothing", why: "first_time" });
  });
  test("makes another key for another worker", async () => {
    serverSays(me, made);
    const first = await phone.prepare();
    serverSays({ ...me, body: { ...me.body, holder: "worker-2" } }, made);
    const second = await phone.prepare();
    if (first.can !== "show" || second.can !== "show") throw new Error("no key");
    const [one, other] = await Promise.all(
      [first, second].map(({ key }) => crypto.subtle.exportKey("raw", key.pair.publicKey)),
    );
    expect(new Uint8Array(one ?? new ArrayBuffer())).not.toEqual(new Uint8Array(other ?? new ArrayBuffer()));
  });
  test("makes a new key when its own was blocked", async () => {
    serverSays(me, made);
    await phone.prepare();
    time += 5 * 86_400;
    const later = { ...me, body: { ...me.body, server_time: time } };
    const blocked = { status: 422, body: { errors: [{ rule: "请换一把钥匙" }] } };
    serverSays(later, blocked, { ...made, body: { ...made.body, valid_until: time + 7 * 86_400 } });
    expect(await phone.prepare()).toMatchObject({ can: "show", online: true });
    expect(asked.filter(({ path }) => path.endsWith("certificates"))).toHaveLength(3);
  });
});

test("the day's pack knows by how much this phone's clock is off", async () => {
  serverSays({ status: 200, body: { ...KEPT.pack, server_time: vectors.noon + 90 } });
  expect((await freshPack(store, () => vectors.noon)).off_by_s).toBe(90);
  expect((await store.pack())?.pack.cashier).toBe("王秀英");
});

test("vouchers and tickets are told by their digits", () => {
  expect(isVoucher("8212 3456-7890 1263")).toBe(true);
  expect(isVoucher("8212345678901264")).toBe(false);
  expect(isVoucher("8221345678901263")).toBe(false);
  expect(isTicket(`81${"0".repeat(67)}`)).toBe(true);
  expect(isTicket("81")).toBe(false);
});

test.each([
  [900, "9"],
  [950, "9.5"],
  [1005, "10.05"],
  [0, "0"],
  [1000, "10"],
])("%d fen are %s yuan", (fen, text) => {
  expect(yuan(fen)).toBe(text);
});

test.each([
  [["10:30-14:00"], "2026-11-24T10:30:00+08:00", true],
  [["10:30-14:00"], "2026-11-24T14:00:00+08:00", false],
  [["06:00-09:00", "10:30-14:00"], "2026-11-24T13:59:00+08:00", true],
  [["22:00-02:00"], "2026-11-24T01:00:00+08:00", true],
  [["22:00-24:00"], "2026-11-24T23:59:00+08:00", true],
  [[], "2026-11-24T03:00:00+08:00", true],
])("the meal of the hour is chosen: %s at %s", (hours, at, within) => {
  expect(isWithin(hours, new Date(at))).toBe(within);
});

describe("payment by phone", () => {
  const at = "/api/benefits/counter/c/redemptions/r/payment";
  const state = (state: string, open: boolean) => ({
    status: 200,
    body: { state, words: state, open },
  });
  const quick = { requestId: "pay-1", pause: async () => undefined, most: 5 };

  test("is followed to its end under one id, whatever gets lost in between", async () => {
    serverSays(state("waiting", true), "gone", state("waiting", true), state("paid", false));
    const heard: string[] = [];
    const done = await takePayment(at, "134567890123456789", "t", ({ state }) => heard.push(state), quick);
    expect(done?.state).toBe("paid");
    expect(heard).toEqual(["waiting", "waiting", "paid"]);
    expect(new Set(asked.map(({ body }) => body.request_id))).toEqual(new Set(["pay-1"]));
  });
  test("that nobody answers for stays unknown here, and is resolved by the server", async () => {
    serverSays("gone");
    expect(await takePayment(at, "134567890123456789", "t", () => undefined, quick)).toBeNull();
  });
  test.each([
    ["134567890123456789", true],
    ["164567890123456789", false],
    ["2845678901234567", true],
    ["8212345678901263", false],
  ])("%s is a payment code: %s", (text, is) => {
    expect(isPaymentCode(text)).toBe(is);
  });
});
