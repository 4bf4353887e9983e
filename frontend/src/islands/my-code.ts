/** My code: drawn and signed on this phone every half minute, with or without a network. */
import { encode } from "uqr";
import { STEP_S } from "../counter/codes";
import { type KeptKey, type State, WorkersPhone } from "../counter/phone";
import { clock, say, wordsFrom } from "../words";

const words = wordsFrom("code-words");
const part = <T extends HTMLElement = HTMLElement>(name: string) =>
  document.querySelector<T>(`[data-part="${name}"]`);
const LOOK_AGAIN_MS = 60_000;

function draw(canvas: HTMLCanvasElement, text: string): void {
  const { data, size } = encode(text, { ecc: "L", border: 0 });
  const quiet = 4;
  const scale = Math.max(4, Math.floor((Math.min(innerWidth, 460) * devicePixelRatio) / (size + 2 * quiet)));
  const side = (size + 2 * quiet) * scale;
  canvas.width = side;
  canvas.height = side;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, side, side);
  pen.fillStyle = "#000";
  data.forEach((row, y) => {
    row.forEach((dark, x) => {
      if (dark) pen.fillRect((x + quiet) * scale, (y + quiet) * scale, scale, scale);
    });
  });
}

class CodePage {
  private key: KeptKey | null = null;
  private step = 0;

  constructor(
    private readonly phone: WorkersPhone,
    private readonly canvas: HTMLCanvasElement,
  ) {}

  async begin(): Promise<void> {
    await this.prepare();
    setInterval(() => void this.tick(), 500);
    setInterval(() => void this.prepare(), LOOK_AGAIN_MS);
    addEventListener("online", () => void this.prepare());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.prepare();
    });
    part("fresh")?.addEventListener("click", () => {
      this.step = 0;
      void this.tick();
    });
    void keepAwake();
    void keepPage();
  }

  private async prepare(): Promise<void> {
    const state = await this.phone.prepare();
    this.show(state);
    this.key = state.can === "show" ? state.key : null;
    await this.tick();
  }

  private show(state: State): void {
    const can = state.can === "show";
    for (const name of ["show", "cannot", "starting"]) {
      const box = part(name);
      if (box) box.hidden = name === "show" ? !can : name === "cannot" ? can : true;
    }
    const line = part("state");
    if (state.can === "show" && line) {
      const off = Math.abs(state.key.off_by_s);
      const until = new Date(state.key.valid_until * 1000);
      const day = new Intl.DateTimeFormat("zh-CN", {
        timeZone: "Asia/Shanghai",
        month: "numeric",
        day: "numeric",
      }).format(until);
      line.textContent = [
        say(words, state.online ? "online" : "offline", { day, time: clock(until).slice(0, 5) }),
        ...(off > STEP_S ? [say(words, "clock_off", { n: Math.round(off / 60) || 1 })] : []),
      ].join(" ");
    }
    if (state.can === "nothing") {
      const why = part("cannot-words");
      if (why) why.textContent = state.words || say(words, state.why);
      const link = part("sign-in");
      if (link) link.hidden = state.why !== "sign_in" && state.why !== "refused";
    }
  }

  private async tick(): Promise<void> {
    if (!this.key) return;
    const time = this.phone.time(this.key);
    if (time >= this.key.valid_until) return this.prepare();
    const left = Math.ceil(STEP_S - (time % STEP_S));
    const bar = part<HTMLProgressElement & HTMLElement>("left");
    if (bar) bar.value = left;
    const step = Math.floor(time / STEP_S);
    if (step === this.step) return;
    this.step = step;
    const text = await this.phone.code(this.key);
    draw(this.canvas, text);
    this.canvas.dataset.step = String(step);
  }
}

/** The screen stays on while the code is shown, where the phone allows it. */
async function keepAwake(): Promise<void> {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // a phone that saves its battery may refuse
  }
}

async function keepPage(): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const { active } = await navigator.serviceWorker.ready;
  const channel = new MessageChannel();
  channel.port1.onmessage = ({ data }) => {
    document.documentElement.dataset.kept = String(data);
  };
  active?.postMessage({ keep: "/meals/code/" }, [channel.port2]);
}

const canvas = part<HTMLCanvasElement>("code");
if (canvas && globalThis.crypto?.subtle && "indexedDB" in globalThis)
  WorkersPhone.open()
    .then((phone) => new CodePage(phone, canvas).begin())
    .catch((reason: unknown) => {
      console.warn("No code:", reason);
      const box = part("too-old");
      if (box) box.hidden = false;
    });
else if (canvas) {
  const box = part("too-old");
  if (box) box.hidden = false;
}
