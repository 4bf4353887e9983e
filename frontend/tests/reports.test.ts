import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { allReports, forgetReport, keepReport, sendAll, type Waiting } from "../src/reports/queue";

const report: Waiting = {
  id: "5b0c1c9e-0000-4000-8000-000000000001",
  place: "p",
  name: "n",
  kind: "door_locked",
  words: "",
  photo: null,
  at: Date.now(),
};

/** A server whose answer comes when the test says so. */
function slowServer(): { answer: () => void; asked: Promise<void> } {
  let answer = (): void => undefined;
  let ask = (): void => undefined;
  const asked = new Promise<void>((done) => {
    ask = done;
  });
  vi.stubGlobal("fetch", () => {
    ask();
    return new Promise((done) => {
      answer = () => done(new Response(JSON.stringify({ token: "t" }), { status: 201 }));
    });
  });
  return { answer: () => answer(), asked };
}

beforeEach(async () => {
  await keepReport(report);
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await forgetReport(report.id);
});

test("a report that was forgotten while it was sent stays forgotten", async () => {
  const server = slowServer();
  const sending = sendAll();
  await server.asked;
  await forgetReport(report.id);
  server.answer();
  expect(await sending).toEqual([]);
  expect(await allReports()).toEqual([]);
});

test("the later of two senders does not take back what the first noted", async () => {
  const server = slowServer();
  const sending = sendAll();
  await server.asked;
  await keepReport({ ...report, token: "t", outcome: "sent" });
  vi.stubGlobal("fetch", () => Promise.reject(new Error("no network")));
  server.answer();
  expect((await sending).map(({ outcome }) => outcome)).toEqual(["sent"]);
});

test("what was sent is noted with the secret of its receipt", async () => {
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify({ token: "t" }), { status: 201 }));
  expect(await sendAll()).toMatchObject([{ id: report.id, token: "t", outcome: "sent" }]);
});
