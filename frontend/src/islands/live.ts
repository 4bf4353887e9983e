/** The live map: simulated vehicles as moving dots, reminders as they are made. See docs/developers/live-events.md. */
import "../styles/live.css";
import {
  boxAround,
  type FiguresEvent,
  type HelloEvent,
  Movement,
  type ReminderEvent,
  type VehiclesEvent,
} from "../live/movement";
import { clock, distance, say, type Words, wordsFrom } from "../words";

const LISTED = 60;
const FRAME_MS = 100; // ten drawings a second at most
const COUNT = new Intl.NumberFormat("zh-CN");

type Connection = "connecting" | "waiting" | "running" | "broken" | "ended" | "paused";

class LivePage {
  private readonly movement = new Movement();
  private readonly words: Words;
  private events: EventSource | null = null;
  private reminders = 0;
  private layers: import("../live/layers").LiveLayers | null = null;
  private lastDrawn = 0;
  private framed = false;
  private bounds: HelloEvent["bounds"] = null;

  constructor(private readonly root: HTMLElement) {
    this.words = wordsFrom("live-words");
    this.part("pause").addEventListener("click", () => (this.events ? this.pause() : this.connect()));
    this.connect();
    void this.showMap();
  }

  private part(name: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the live map's template has no part ${name}`);
    return found;
  }

  private async showMap(): Promise<void> {
    const container = this.part("map");
    try {
      const { canDrawMaps } = await import("../map/base");
      if (!canDrawMaps()) throw new Error("no WebGL");
      const { LiveLayers } = await import("../live/layers");
      this.layers = await LiveLayers.on(container, this.root.dataset, this.words);
      this.look();
      this.draw();
    } catch (reason) {
      console.warn("No live map:", reason);
      container.hidden = true;
      this.part("no-map").hidden = false;
    }
  }

  private connect(): void {
    this.show("connecting");
    const events = new EventSource(this.root.dataset.events ?? "/api/live/events");
    this.events = events;
    const on = <T>(name: string, take: (data: T) => void) =>
      events.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data) as T));
    on<HelloEvent>("hello", (hello) => {
      this.movement.clear();
      this.show(hello.running ? "running" : "waiting");
      this.bounds = hello.bounds;
      this.look();
    });
    on<VehiclesEvent>("vehicles", (batch) => {
      this.show("running");
      this.movement.take(batch, performance.now());
      if (!this.framed) this.look();
      this.part("vehicles").textContent = COUNT.format(batch.total ?? this.movement.size);
      this.part("time").textContent = clock(batch.at);
    });
    on<ReminderEvent>("reminder", (reminder) => this.remind(reminder));
    on<FiguresEvent>("figures", (figures) => {
      this.reminders = figures.reminders;
      this.part("reminders").textContent = COUNT.format(figures.reminders);
      this.part("rate").textContent = COUNT.format(Math.round(figures.pings_per_second));
      this.part("speed").textContent =
        figures.speed_up === 1
          ? say(this.words, "real_time")
          : say(this.words, "speed", { n: COUNT.format(figures.speed_up) });
    });
    events.addEventListener("error", () => {
      this.show("broken");
      // Refused for good: the permission in the address has run out.
      if (events.readyState === EventSource.CLOSED) void this.renew(events);
    });
  }

  private async renew(refused: EventSource): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 3000));
    if (this.events !== refused) return;
    try {
      const answer = await fetch(this.root.dataset.renew ?? "", { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) throw new Error(`no fresh address: ${answer.status}`);
      const fresh = (await answer.json()) as { events: string; roads: string };
      this.root.dataset.events = fresh.events;
      this.root.dataset.roads = fresh.roads;
      this.connect();
    } catch (reason) {
      console.warn("The stream has ended:", reason);
      this.show("ended");
    }
  }

  /** Show what is simulated: once by itself, afterwards the reader moves the map. */
  private look(): void {
    const bounds = this.bounds ?? boxAround(this.movement.at(performance.now()));
    if (!bounds || !this.layers) return;
    this.layers.lookAt(bounds, !this.framed);
    this.framed = true;
  }

  private pause(): void {
    this.events?.close();
    this.events = null;
    this.show("paused");
  }

  private show(state: Connection): void {
    if (this.root.dataset.state === state) return;
    this.root.dataset.state = state;
    const line = this.part("connection");
    line.textContent = say(this.words, state);
    line.className = `status status-${{ connecting: "info", waiting: "neutral", running: "good", broken: "bad", ended: "bad", paused: "warn" }[state]}`;
    this.part("pause").textContent = say(this.words, state === "paused" ? "resume" : "pause");
  }

  private remind(reminder: ReminderEvent): void {
    this.reminders += 1;
    this.part("reminders").textContent = COUNT.format(this.reminders);
    const entry = document.createElement("li");
    const link = document.createElement("a");
    link.className = "entry-title";
    link.href = `/places/${encodeURIComponent(reminder.place)}/`;
    link.textContent = reminder.name;
    const meta = document.createElement("span");
    meta.className = "entry-meta";
    for (const words of [
      clock(reminder.at),
      say(this.words, "ahead", { distance: distance(this.words, reminder.distance_m) }),
      reminder.open_until
        ? say(this.words, "open_until", { time: clock(reminder.open_until).slice(0, 5) })
        : say(this.words, "open"),
      ...(reminder.simulated ? [say(this.words, "simulated")] : []),
    ]) {
      const span = document.createElement("span");
      span.textContent = words;
      meta.append(span);
    }
    entry.append(link, meta);
    const list = this.part("list");
    list.prepend(entry);
    while (list.childElementCount > LISTED) list.lastElementChild?.remove();
    list.hidden = false;
    this.part("none-yet").hidden = true;
    this.layers?.remind(reminder, Array.from(meta.children, (part) => part.textContent).join(" · "));
  }

  private draw = (): void => {
    requestAnimationFrame(this.draw);
    const now = performance.now();
    if (!this.layers || now - this.lastDrawn < FRAME_MS) return;
    this.lastDrawn = now;
    this.layers.draw(this.movement.at(now), now);
  };
}

for (const root of document.querySelectorAll<HTMLElement>("[data-live-map]")) new LivePage(root);
