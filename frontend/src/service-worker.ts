/**
 * The site without a network: the shell's files, the offline page, and the stations last seen. No page of the desk and no page made for
 * someone who has signed in is ever kept: what is kept is `/offline/` and, where a phone has used them, the counter, the code and the
 * form of visits, all fetched without cookies. Those are the same for everyone; what is theirs they have from the phone's own store.
 */
import { sendAll, WAKE } from "./reports/queue";

declare const self: ServiceWorkerGlobalScope;
declare const __VERSION__: string;
declare const __SHELL__: string[];
/** Files of the pages that a phone may ask to keep, by their address. */
declare const __PAGES__: Record<string, string[]>;

const BUILT = "/static/web/built/";
const SHELL = `yizhan-shell-${__VERSION__}`;
const FILES = "yizhan-files";
const PLACES = "yizhan-places";
const OFFLINE = "/offline/";
/** The same page for those who read English; `islands/shell.ts` notes who does. */
const OFFLINE_ENGLISH = "/offline/?language=en";
const LANGUAGE = "/offline/language";
const FILES_KEPT = 80;
/**
 * Answers by their path alone: the position that was asked about is not kept in an address. What lies around the last
 * position is kept by the page itself (`home/kept.ts`), whatever filters its other questions have.
 */
const PLACES_PATHS = new Set(["/api/places/nearest", "/api/places/index.json"]);
const KEPT_BY_THE_PAGE = "/api/places/nearest";

async function keepShell(): Promise<void> {
  const shell = await caches.open(SHELL);
  await shell.addAll(__SHELL__.map((file) => BUILT + file));
  await shell.put(OFFLINE, await offlinePage(OFFLINE));
  await shell.put(OFFLINE_ENGLISH, await offlinePage(OFFLINE_ENGLISH));
  // A new build keeps what this phone asked to keep of an earlier one: a counter must not lose its page by our update.
  for (const path of Object.keys(__PAGES__))
    if (await caches.match(path, { ignoreVary: true })) await keepPage(path);
}

/** Keep a page that works without a network, with all its files; as everyone sees it. */
async function keepPage(path: string): Promise<void> {
  const shell = await caches.open(SHELL);
  const answer = await fetch(path, { credentials: "omit", cache: "reload" });
  if (!answer.ok || answer.redirected) throw new Error(`${path} answered ${answer.status}`);
  await shell.addAll((__PAGES__[path] ?? []).map((file) => BUILT + file));
  await shell.put(path, answer);
}

/** Without this page the worker is worth nothing: a busy server is asked again, and at last the installation waits for the next visit. */
async function offlinePage(path: string): Promise<Response> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await fetch(path, { credentials: "omit", cache: "reload" });
    if (answer.ok) return answer;
    if (attempt === 5) throw new Error(`${path} answered ${answer.status}`);
    await new Promise((done) => setTimeout(done, attempt * 500));
  }
}

async function forgetOldShells(): Promise<void> {
  const old = (await caches.keys()).filter((name) => name.startsWith("yizhan-shell-") && name !== SHELL);
  await Promise.all(old.map((name) => caches.delete(name)));
}

/** Built files carry a hash in their name: what is kept is right for ever. */
async function builtFile(request: Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreVary: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    const files = await caches.open(FILES);
    await files.put(request, answer.clone());
    const keys = await files.keys();
    await Promise.all(keys.slice(0, Math.max(0, keys.length - FILES_KEPT)).map((key) => files.delete(key)));
  }
  return answer;
}

async function page(request: Request, path: string): Promise<Response> {
  try {
    return await (path in __PAGES__ ? inTime(request) : fetch(request));
  } catch (reason) {
    const own = path in __PAGES__ ? await caches.match(path, { ignoreVary: true }) : undefined;
    const language = await (await caches.match(LANGUAGE))?.text();
    const offline = language === "en" ? OFFLINE_ENGLISH : OFFLINE;
    const kept = own ?? (await caches.match(offline, { ignoreVary: true }));
    if (kept) return kept;
    throw reason;
  }
}

/** A network that swallows requests is none: who has the page at hand does not wait for long. */
async function inTime(request: Request): Promise<Response> {
  const late = new Promise<never>((_, refuse) => setTimeout(() => refuse(new Error("too late")), 5000));
  const answer = await Promise.race([fetch(request), late]);
  if (answer.status >= 500) throw new Error(`answered ${answer.status}`);
  return answer;
}

async function places(request: Request, path: string): Promise<Response> {
  try {
    const answer = await fetch(request);
    if (answer.ok && path !== KEPT_BY_THE_PAGE) await (await caches.open(PLACES)).put(path, answer.clone());
    return answer;
  } catch (reason) {
    const kept = await caches.match(path, { ignoreVary: true });
    if (!kept) throw reason;
    const headers = new Headers(kept.headers);
    headers.set("X-Yizhan-Kept", "1");
    return new Response(kept.body, { status: kept.status, headers });
  }
}

async function sendReports(): Promise<void> {
  const known = await sendAll();
  for (const client of await self.clients.matchAll()) client.postMessage(WAKE);
  if (known.some(({ outcome }) => !outcome)) throw new Error("some reports still wait"); // then we are woken again
}

self.addEventListener("install", (event) => event.waitUntil(keepShell().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) =>
  event.waitUntil(forgetOldShells().then(() => self.clients.claim())),
);
/** The browser wakes us when there is a network again, even after the last page was closed. */
self.addEventListener("sync", ((event: ExtendableEvent & { tag: string }) => {
  if (event.tag === WAKE) event.waitUntil(sendReports());
}) as EventListener);
/** A reminder from the fleet, sealed for this phone alone. */
self.addEventListener("push", (event) => {
  let told: { title?: string; body?: string; tag?: string; url?: string } = {};
  try {
    told = (event.data?.json() ?? {}) as typeof told;
  } catch {
    // Not ours; a browser that is pushed to must show something all the same.
  }
  const { title = "驿站", body = "", tag, url } = told;
  event.waitUntil(
    self.registration.showNotification(title, { body, data: { url }, ...(tag ? { tag } : {}) }),
  );
});
/** A notice that is tapped opens what it speaks of. */
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const { url } = (event.notification.data ?? {}) as { url?: unknown };
  // Only pages of this site, whatever a notice says.
  if (typeof url === "string" && /^\/(?!\/)/.test(url)) event.waitUntil(self.clients.openWindow(url));
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, url.pathname));
  else if (url.pathname.startsWith(BUILT)) event.respondWith(builtFile(request));
  else if (PLACES_PATHS.has(url.pathname)) event.respondWith(places(request, url.pathname));
});

self.addEventListener("message", (event) => {
  const path = (event.data as { keep?: unknown } | null)?.keep;
  const [port] = event.ports;
  if (typeof path !== "string" || !(path in __PAGES__) || !port) return;
  event.waitUntil(
    keepPage(path).then(
      () => port.postMessage("kept"),
      () => port.postMessage("not kept"),
    ),
  );
});
