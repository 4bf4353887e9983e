/** Pairs this phone with the vehicle that a company knows: by a code, and without anybody asking whose phone it is. */
import { say, type Words, wordsFrom } from "../words";

const TOKEN = "yizhan-fleet-phone";
const ASK_MS = 4000;

interface State {
  paired: boolean;
  code_until: string;
}

export class Fleet {
  private readonly words: Words = wordsFrom("passing-words");
  private asking = 0;

  constructor(private readonly panel: HTMLElement) {
    if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return;
    panel.hidden = false;
    this.part("fleet-on").addEventListener("click", () => void this.tried(() => this.pair()));
    this.part("fleet-off").addEventListener("click", () => void this.tried(() => this.forget()));
    if (this.token) void this.tried(() => this.ask());
  }

  private get token(): string | null {
    return localStorage.getItem(TOKEN);
  }

  private part(name: string): HTMLElement {
    const found = this.panel.querySelector<HTMLElement>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the template has no part ${name}`);
    return found;
  }

  private say(name: string, code = ""): void {
    this.part("fleet-state").textContent = name ? say(this.words, name) : "";
    this.part("code").textContent = code;
  }

  private async tried(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (reason) {
      console.info("The phone was not paired:", reason);
      this.say("fleet_failed");
    }
  }

  private async pair(): Promise<void> {
    if ((await Notification.requestPermission()) !== "granted") return this.say("fleet_denied");
    const registration = await navigator.serviceWorker.ready;
    const subscription =
      (await registration.pushManager.getSubscription()) ??
      (await registration.pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: this.panel.dataset.key ?? "",
      }));
    const { endpoint, keys } = subscription.toJSON();
    const answer = await this.call("POST", "/api/phones", { endpoint, keys });
    const { token, code } = (await answer.json()) as { token: string; code: string };
    localStorage.setItem(TOKEN, token);
    this.say("fleet_code", `${code.slice(0, 4)} ${code.slice(4)}`);
    this.buttons(true);
    this.askLater();
  }

  private askLater(): void {
    window.clearTimeout(this.asking);
    this.asking = window.setTimeout(() => void this.tried(() => this.ask()), ASK_MS);
  }

  private async ask(): Promise<void> {
    const answer = await fetch("/api/phones/me", { headers: this.headers(), credentials: "omit" });
    if (answer.status === 401) return this.gone();
    if (!answer.ok) throw new Error(`/api/phones/me: ${answer.status}`);
    const state = (await answer.json()) as State;
    this.buttons(true);
    if (state.paired) return this.say("fleet_paired");
    if (new Date(state.code_until) < new Date()) {
      this.say("fleet_late");
      return this.buttons(false);
    }
    this.askLater();
  }

  private async forget(): Promise<void> {
    window.clearTimeout(this.asking);
    await this.call("DELETE", "/api/phones/me");
    const registration = await navigator.serviceWorker.getRegistration();
    await (await registration?.pushManager.getSubscription())?.unsubscribe();
    this.gone();
  }

  private gone(): void {
    localStorage.removeItem(TOKEN);
    this.say("");
    this.buttons(false);
  }

  private buttons(registered: boolean): void {
    this.part("fleet-on").hidden = registered;
    this.part("fleet-off").hidden = !registered;
  }

  private headers(): Record<string, string> {
    return this.token ? { Authorization: `Bearer ${this.token}` } : {};
  }

  private async call(method: string, path: string, body?: unknown): Promise<Response> {
    const answer = await fetch(path, {
      method,
      credentials: "omit",
      headers: { ...this.headers(), ...(body ? { "Content-Type": "application/json" } : {}) },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
    return answer;
  }
}
