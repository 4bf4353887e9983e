/**
 * "Remind me of stations that I pass": the rule runs here, on the phone. Its position goes to nobody; of where it is the
 * server learns the half degree (about 50 km) whose stations it asks for.
 */
import "../styles/passing.css";
import { askedIn, fetchTile, openUntil, type Tile, tileAt } from "../passing/around";
import { Fleet } from "../passing/fleet";
import { keep, kept, type Shown, withShown } from "../passing/keep";
import type { PassingRule } from "../passing/rule";
import { clock, distance, say, type Words, wordsFrom } from "../words";

const FRESH_MS = 30 * 60_000;
const RETRY_MS = 60_000;

type State = "off" | "asking" | "running" | "denied" | "unavailable" | "no_stations";

class Passing {
  private readonly words: Words = wordsFrom("passing-words");
  private readonly toggle: HTMLInputElement;
  private watching: number | null = null;
  private rule: PassingRule | null = null;
  private tile: { name: string; holds: Tile; at: number } | null = null;
  private triedAt = Number.NEGATIVE_INFINITY;
  private loading: Promise<void> | null = null;
  private awake: WakeLockSentinel | null = null;

  constructor(private readonly root: HTMLElement) {
    this.toggle = this.part<HTMLInputElement>("switch");
    this.toggle.disabled = !("geolocation" in navigator);
    this.toggle.addEventListener("change", () => (this.toggle.checked ? this.start(true) : this.stop()));
    for (const box of this.boxes()) {
      box.checked = kept().services.includes(box.value);
      box.addEventListener("change", () =>
        keep({
          services: this.boxes()
            .filter((each) => each.checked)
            .map((each) => each.value),
        }),
      );
    }
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible" && this.watching !== null) void this.stayAwake();
    });
    this.list(kept().shown);
    this.show(this.toggle.disabled ? "unavailable" : "off");
    if (kept().on && !this.toggle.disabled) {
      this.toggle.checked = true;
      this.start(false);
    }
  }

  private part<T extends HTMLElement = HTMLElement>(name: string): T {
    const found = this.root.querySelector<T>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the template has no part ${name}`);
    return found;
  }

  private boxes(): HTMLInputElement[] {
    return Array.from(this.root.querySelectorAll<HTMLInputElement>("[data-service]"));
  }

  /** Begin to watch; by a tap, also ask whether notices may be shown. */
  private start(tapped: boolean): void {
    keep({ on: true });
    this.show("asking");
    if (tapped && "Notification" in window && Notification.permission === "default") {
      void Notification.requestPermission();
    }
    this.watching = navigator.geolocation.watchPosition(
      (position) => void this.take(position),
      (refusal) => {
        if (refusal.code !== refusal.PERMISSION_DENIED) return this.show("unavailable");
        this.stop();
        this.show("denied");
      },
      { enableHighAccuracy: true, maximumAge: 0 },
    );
    void this.stayAwake();
  }

  private stop(): void {
    if (this.watching !== null) navigator.geolocation.clearWatch(this.watching);
    this.watching = null;
    this.toggle.checked = false;
    void this.awake?.release();
    keep({ on: false });
    this.show("off");
  }

  /** A phone on the handlebar whose screen goes dark tells the page nothing any more. */
  private async stayAwake(): Promise<void> {
    try {
      this.awake = await navigator.wakeLock?.request("screen");
    } catch {
      // An old browser, or a battery that is low: the screen goes dark when it does.
    }
  }

  private async take({ coords, timestamp }: GeolocationPosition): Promise<void> {
    const name = tileAt(coords.longitude, coords.latitude);
    const old = Date.now() - (this.tile?.at ?? 0) > FRESH_MS;
    if (this.tile?.name !== name || old) {
      this.loading ??= this.load(name).finally(() => {
        this.loading = null;
      });
      if (this.tile?.name !== name) await this.loading; // an old tile is still good for this position
    }
    if (this.watching === null || !this.rule || this.tile?.name !== name) return;
    this.show("running");
    const tile = this.tile.holds;
    const reminder = this.rule.feed({
      time: Math.round(timestamp),
      lon: coords.longitude,
      lat: coords.latitude,
      accuracy: coords.accuracy,
      asked: askedIn(tile, kept().services),
    });
    if (!reminder) return;
    const station = tile.stations.find((each) => each.id === reminder.station);
    if (!station) return;
    const until = openUntil(tile, station, Math.floor(reminder.time / 1000));
    this.tell({ id: station.id, name: station.name, time: reminder.time, metres: reminder.distance, until });
  }

  private async load(name: string): Promise<void> {
    if (this.tile?.name !== name && Date.now() - this.triedAt < RETRY_MS) return;
    this.triedAt = Date.now();
    try {
      const [holds, { PassingRule }] = await Promise.all([fetchTile(name), import("../passing/rule")]);
      this.tile = { name, holds, at: Date.now() };
      this.triedAt = Number.NEGATIVE_INFINITY;
      if (this.rule) this.rule.replace(holds);
      else this.rule = new PassingRule(holds, kept().told);
    } catch (reason) {
      console.info("No stations around:", reason);
      if (this.tile?.name !== name) this.show("no_stations");
    }
  }

  private tell(one: Shown): void {
    const shown = withShown(kept().shown, one);
    keep({ told: this.rule?.remembered() ?? [], shown });
    this.list(shown);
    navigator.vibrate?.([200, 100, 200]);
    const text = this.sentence(one);
    this.part("latest").textContent = `${one.name} · ${text}`;
    if ("Notification" in window && Notification.permission === "granted") {
      void navigator.serviceWorker
        ?.getRegistration()
        .then((found) =>
          found?.showNotification(one.name, { body: text, tag: one.id, data: { url: `/places/${one.id}/` } }),
        );
    }
  }

  private sentence(one: Shown): string {
    return [
      say(this.words, "ahead", { distance: distance(this.words, one.metres) }),
      one.until === null
        ? say(this.words, "open")
        : say(this.words, "open_until", { time: clock(new Date(one.until * 1000)).slice(0, 5) }),
    ].join(" · ");
  }

  private list(shown: Shown[]): void {
    const list = this.root.querySelector<HTMLElement>('[data-part="list"]');
    if (!list) return;
    list.replaceChildren(
      ...shown.map((one) => {
        const entry = document.createElement("li");
        const link = document.createElement("a");
        link.className = "entry-title";
        link.href = `/places/${encodeURIComponent(one.id)}/`;
        link.textContent = one.name;
        const meta = document.createElement("span");
        meta.className = "entry-meta";
        meta.textContent = `${clock(new Date(one.time)).slice(0, 5)} · ${this.sentence(one)}`;
        entry.append(link, meta);
        return entry;
      }),
    );
    list.hidden = shown.length === 0;
    this.part("none-yet").hidden = shown.length > 0;
  }

  private show(state: State): void {
    this.root.dataset.state = state;
    this.part("state").textContent = say(this.words, state);
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-passing]")) new Passing(root);
for (const panel of document.querySelectorAll<HTMLElement>("[data-fleet]")) new Fleet(panel);
