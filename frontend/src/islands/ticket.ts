/** The live ticket: the server's clock, a moving band in the day's colour, and a picture that is another one every few seconds. */
import { encode } from "uqr";
import { ask } from "../counter/server";
import { clock } from "../words";

interface Live {
  text: string;
  server_time: number;
  ended: string;
}

const FRESH_MS = 10_000;

function start(root: HTMLElement): void {
  const face = root.querySelector<HTMLElement>('[data-part="clock"]');
  const canvas = root.querySelector<HTMLCanvasElement>('[data-part="picture"]');
  const stale = root.querySelector<HTMLElement>('[data-part="stale"]');
  let offBy = 0;
  let heardAt = 0;

  async function refresh(): Promise<void> {
    try {
      const live = await ask<Live>(root.dataset.live ?? "");
      offBy = live.server_time - Date.now() / 1000;
      heardAt = Date.now();
      if (live.ended) location.reload();
      else if (canvas) draw(canvas, live.text);
    } catch {
      // the clock below says since when nothing was heard
    }
  }

  function tick(): void {
    const isLive = heardAt > 0 && Date.now() - heardAt < 4 * FRESH_MS;
    root.dataset.state = isLive ? "live" : "stale";
    if (stale) stale.hidden = isLive || heardAt === 0;
    if (face && isLive) face.textContent = clock(new Date(Date.now() + offBy * 1000));
  }

  void refresh().then(tick);
  setInterval(() => void refresh(), FRESH_MS);
  setInterval(tick, 250);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void refresh();
  });
}

function draw(canvas: HTMLCanvasElement, text: string): void {
  const { data, size } = encode(text, { ecc: "M", border: 2 });
  const scale = 8;
  canvas.width = size * scale;
  canvas.height = size * scale;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.fillStyle = "#000";
  data.forEach((row, y) => {
    row.forEach((dark, x) => {
      if (dark) pen.fillRect(x * scale, y * scale, scale, scale);
    });
  });
}

for (const root of document.querySelectorAll<HTMLElement>("[data-ticket]")) start(root);
