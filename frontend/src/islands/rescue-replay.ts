/** One call played back: its steps in their order, and where each was taken. */
import type { Position } from "../rescue/map";
import { clock, say, wordsFrom } from "../words";

interface Step {
  at: string;
  at_s: number;
  words: string;
  who: string;
  position: Position | null;
}

const PLAY_MS = 900;

async function begin(root: HTMLElement): Promise<void> {
  const words = wordsFrom("rescue-words");
  const steps = JSON.parse(document.getElementById("rescue-steps")?.textContent ?? "[]") as Step[];
  const rows = [...root.querySelectorAll<HTMLElement>("[data-step]")];
  const slider = root.querySelector<HTMLInputElement>("[data-part=at]");
  const shown = root.querySelector<HTMLElement>("[data-part=clock]");
  const controls = root.querySelector<HTMLElement>("[data-part=controls]");
  if (!slider || !shown || !controls || !steps.length) return;
  const call: Position = [Number(root.dataset.lon), Number(root.dataset.lat)];
  const { COLOURS, drawMap, mark } = await import("../rescue/map");
  const places = steps.flatMap(({ position }) => (position ? [position] : []));
  const map = await drawMap(root, words, [call, ...places]);
  mark(map, call, say(words, "here"), { color: COLOURS.rider });
  let who: import("maplibre-gl").Marker | null = null;
  const show = (number: number): void => {
    rows.forEach((row, at) => {
      row.toggleAttribute("aria-current", at === number);
      row.classList.toggle("rescue-later", at > number);
    });
    const step = steps[number];
    if (!step) return;
    shown.textContent = `${clock(step.at)} ${step.who} ${step.words}`;
    const last = steps
      .slice(1, number + 1)
      .filter(({ position }) => position !== null)
      .pop();
    who?.remove();
    who = last?.position ? mark(map, last.position, last.who, { color: COLOURS.rescuer }) : null;
  };
  slider.max = String(steps.length - 1);
  slider.value = slider.max;
  slider.addEventListener("input", () => show(Number(slider.value)));
  let timer = 0;
  root.querySelector("[data-part=play]")?.addEventListener("click", () => {
    clearInterval(timer);
    let at = 0;
    const next = (): void => {
      slider.value = String(at);
      show(at);
      at += 1;
      if (at >= steps.length) clearInterval(timer);
    };
    timer = window.setInterval(next, PLAY_MS);
    next();
  });
  controls.hidden = false;
}

for (const root of document.querySelectorAll<HTMLElement>("[data-replay]"))
  begin(root).catch((reason: unknown) => console.warn("No map:", reason));
