/** A day played back: vehicles along their ways, what became of each approach to a place. Nothing leaves the page. */
import "../styles/live.css";
import "../styles/playback.css";
import { csvOf, type Day, secondsOf, spanOf, timeOfDay } from "../playback/day";
import type { PlaybackLayers } from "../playback/layers";
import { say, type Words, wordsFrom } from "../words";

const STEP_MS = 100;
const SECONDS_A_STEP = 6; // a minute of the day in one second

class PlaybackPage {
  private readonly words: Words = wordsFrom("playback-words");
  private readonly day: Day = JSON.parse(
    document.getElementById("playback-data")?.textContent ?? "null",
  ) as Day;
  private layers: PlaybackLayers | null = null;
  private playing = 0;

  constructor(private readonly root: HTMLElement) {
    const [first, last] = spanOf(this.day);
    const time = this.part<HTMLInputElement>("time");
    time.min = String(first);
    time.max = String(last);
    time.value = String(first);
    time.addEventListener("input", () => this.show(Number(time.value)));
    this.part("play").addEventListener("click", () => (this.playing ? this.stop() : this.play()));
    this.part("controls").hidden = false;
    this.prepareList();
    void this.showMap();
    this.show(first);
  }

  private part<T extends HTMLElement = HTMLElement>(name: string): T {
    const found = this.root.querySelector<T>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the template has no part ${name}`);
    return found;
  }

  private async showMap(): Promise<void> {
    const container = this.part("map");
    try {
      const { canDrawMaps } = await import("../map/base");
      if (!canDrawMaps()) throw new Error("no WebGL");
      const { PlaybackLayers } = await import("../playback/layers");
      this.layers = await PlaybackLayers.on(container, this.root.dataset, this.words, this.day);
      this.layers.choose(this.chosen("vehicle"), this.chosen("outcome"));
      this.show(Number(this.part<HTMLInputElement>("time").value));
    } catch (reason) {
      console.warn("No map:", reason);
      container.hidden = true;
      this.part("no-map").hidden = false;
    }
  }

  private prepareList(): void {
    if (!this.root.querySelector('[data-part="rows"]')) return;
    this.part("filters").hidden = false;
    for (const name of ["outcome", "vehicle"]) {
      this.part(name).addEventListener("change", () => this.narrow());
    }
    this.part("save").addEventListener("click", () => this.save());
    for (const row of this.rows()) {
      const button = row.querySelector<HTMLElement>("[data-look]");
      const plain = row.querySelector<HTMLElement>("[data-plain]");
      if (!button || !plain) continue;
      button.hidden = false;
      plain.hidden = true;
      button.addEventListener("click", () => this.look(Number(row.dataset.row)));
    }
  }

  private rows(): HTMLElement[] {
    return Array.from(this.root.querySelectorAll<HTMLElement>("[data-row]"));
  }

  private chosen(name: string): string {
    return this.root.querySelector<HTMLSelectElement>(`[data-part="${name}"]`)?.value ?? "";
  }

  private narrow(): void {
    const [vehicle, outcome] = [this.chosen("vehicle"), this.chosen("outcome")];
    for (const row of this.rows()) {
      const of = this.day.encounters[Number(row.dataset.row)];
      row.hidden =
        !of ||
        (vehicle !== "" && String(of.vehicle) !== vehicle) ||
        (outcome !== "" && of.outcome !== outcome);
    }
    this.layers?.choose(vehicle, outcome);
  }

  /** Go to the moment and the place of one approach. */
  private look(row: number): void {
    const encounter = this.day.encounters[row];
    if (!encounter) return;
    this.stop();
    this.part<HTMLInputElement>("time").value = String(encounter.at);
    this.show(encounter.at);
    this.layers?.lookAt(encounter);
    this.part("map").scrollIntoView({ block: "center", behavior: "smooth" });
  }

  private play(): void {
    const time = this.part<HTMLInputElement>("time");
    if (time.value === time.max) time.value = time.min;
    this.part("play").textContent = say(this.words, "pause");
    this.playing = window.setInterval(() => {
      time.value = String(Number(time.value) + SECONDS_A_STEP);
      this.show(Number(time.value));
      if (time.value === time.max) this.stop();
    }, STEP_MS);
  }

  private stop(): void {
    window.clearInterval(this.playing);
    this.playing = 0;
    this.part("play").textContent = say(this.words, "play");
  }

  private show(second: number): void {
    this.part("clock").textContent = timeOfDay(second);
    this.layers?.draw(secondsOf(this.day, second), second);
  }

  private save(): void {
    const heads = ["place", "time", "vehicle", "distance", "outcome", "why"].map((name) =>
      say(this.words, name),
    );
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csvOf(this.day, heads)], { type: "text/csv" }));
    link.download = `passages-${this.day.day}.csv`;
    link.click();
    URL.revokeObjectURL(link.href);
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-playback]")) new PlaybackPage(root);
