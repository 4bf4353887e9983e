/** The form of a visit on the way: every save is kept on the phone first, and sent when there is a network. */
import { fetchKit, keepPresent, NoNetwork, SignInNeeded, sendAll } from "../visits/send";
import {
  type Draft,
  drafts,
  dropDraft,
  type Facts,
  forgetKit,
  type Kit,
  keepDraft,
  keptKit,
  type Stop,
  type Visit,
} from "../visits/store";
import { say, wordsFrom } from "../words";

const EVERY_MS = 30_000;

function local(at: Date): string {
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}

class VisitPage {
  private readonly words = wordsFrom("visit-words");
  private kit: Kit | undefined;
  /** Whether `kit` came from the server just now, so that its token writes. */
  private isFresh = false;
  private editing: { client_id: string; base: number; facts: Facts; settles?: string } | undefined;
  private stop: Stop | undefined;
  private choosing: Draft | undefined;
  private busy: Promise<void> | undefined;

  constructor(private readonly root: HTMLElement) {}

  async start(): Promise<void> {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.save();
    });
    this.part("cancel").addEventListener("click", () => this.begin());
    this.part("settle").addEventListener("click", () => void this.settle());
    window.addEventListener("online", () => void this.sync());
    window.addEventListener("offline", () => this.tell("offline"));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) void this.sync();
    });
    setInterval(() => void this.sync(), EVERY_MS);
    const kept = await keptKit();
    this.kit = kept?.kit;
    this.begin();
    this.part("form").hidden = false;
    this.showKit();
    await this.showDrafts();
    void this.keepPage();
    await this.sync();
  }

  private get form(): HTMLFormElement {
    return this.part("form") as HTMLFormElement;
  }

  private part(name: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(`[data-part="${name}"]`);
    if (!found) throw new Error(`no part ${name}`);
    return found;
  }

  private value(name: string): string {
    const field = this.form.elements.namedItem(name) as HTMLInputElement | RadioNodeList | null;
    return field?.value.trim() ?? "";
  }

  private fill(name: string, value: string): void {
    const field = this.form.elements.namedItem(name) as HTMLInputElement | RadioNodeList | null;
    if (field) field.value = value;
  }

  /** One sender at a time in this page; the ids make more of them harmless. */
  private sync(): Promise<void> {
    this.busy ??= this.send().finally(() => {
      this.busy = undefined;
    });
    return this.busy;
  }

  private async send(): Promise<void> {
    try {
      const kit = await fetchKit();
      this.kit = kit;
      this.isFresh = true;
      this.showKit();
      await sendAll(kit);
      const other = (await drafts()).find((draft) => draft.post !== kit.post);
      if (other) this.tell("other", { name: other.name });
      else this.tell("online");
    } catch (reason) {
      this.isFresh = false;
      if (reason instanceof SignInNeeded) {
        await forgetKit();
        this.kit = undefined;
        this.showKit();
        this.tell("sign_in");
        const link = document.createElement("a");
        link.href = "/accounts/login/?next=/visit-form/";
        link.textContent = say(this.words, "sign_in_link");
        this.part("state").append(" ", link);
      } else if (reason instanceof NoNetwork) this.tell("offline");
      else throw reason;
    }
    await this.showDrafts();
  }

  private tell(name: string, gaps: Record<string, string> = {}): void {
    this.part("state").textContent = say(this.words, name, gaps);
    this.part("state").dataset.told = name;
  }

  private begin(visit?: { client_id: string; base: number; facts: Facts; settles?: string }): void {
    this.form.reset();
    this.editing = visit;
    this.stop = undefined;
    const facts = visit?.facts;
    this.fill("at", local(facts ? new Date(facts.at) : new Date()));
    if (facts) {
      this.fill("kind", facts.kind);
      this.fill("where", facts.where);
      this.fill("minutes", facts.minutes ? String(facts.minutes) : "");
      this.fill("company", facts.company);
      this.fill("counted", facts.counted ? String(facts.counted) : "");
      this.fill("words", facts.words);
    }
    this.showWorkers(facts?.people ?? []);
    this.part("form-title").textContent = say(this.words, visit ? "edit_title" : "new_title");
    this.part("cancel").hidden = !visit;
    this.part("wrong").hidden = true;
  }

  private facts(): Facts {
    const earlier = this.editing?.facts;
    const checked = this.form.querySelectorAll<HTMLInputElement>('input[name="people"]:checked');
    return {
      kind: this.value("kind"),
      at: new Date(this.value("at")).toISOString(),
      where: this.value("where"),
      minutes: Number(this.value("minutes")) || null,
      company: this.value("company"),
      place: this.stop?.place ?? earlier?.place ?? null,
      union: this.stop?.union ?? earlier?.union ?? null,
      stop: this.stop?.id ?? earlier?.stop ?? null,
      lon: this.stop?.lon ?? earlier?.lon ?? null,
      lat: this.stop?.lat ?? earlier?.lat ?? null,
      counted: Number(this.value("counted")) || 0,
      people: [...checked].map((box) => box.value),
      words: this.value("words"),
    };
  }

  private async save(): Promise<void> {
    const wrong = this.part("wrong");
    wrong.hidden = Boolean(this.value("where") && this.value("at"));
    if (!wrong.hidden) {
      wrong.textContent = say(this.words, "missing");
      return;
    }
    const facts = this.facts();
    const lines = this.value("needs")
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean);
    const worker = facts.people.length === 1 ? (facts.people[0] ?? null) : null;
    const files = (this.form.elements.namedItem("photos") as HTMLInputElement).files ?? [];
    const id = this.editing?.client_id ?? crypto.randomUUID();
    const earlier = (await drafts()).find((draft) => draft.client_id === id);
    const settles = this.editing?.settles ?? earlier?.settles;
    await keepDraft({
      client_id: id,
      request_id: crypto.randomUUID(),
      base: this.editing?.base ?? 0,
      facts,
      // What waited already goes along: its ids make it count once.
      needs: [
        ...(earlier?.needs ?? []),
        ...lines.map((title) => ({ client_id: crypto.randomUUID(), title, worker })),
      ],
      photos: [
        ...(earlier?.photos ?? []),
        ...[...files].map((file) => ({ id: crypto.randomUUID(), file: file as Blob })),
      ],
      post: this.kit?.post ?? earlier?.post ?? "",
      name: this.kit?.name ?? earlier?.name ?? "",
      saved_at: Date.now(),
      state: "waits",
      words: "",
      ...(settles ? { settles } : {}),
    });
    this.begin();
    this.tell("saved");
    await this.showDrafts();
    await this.sync();
  }

  private showKit(): void {
    const kit = this.kit;
    this.part("round").hidden = !kit?.stops.length;
    this.part("stops").replaceChildren(
      ...(kit?.stops ?? []).map((stop) => {
        const chip = document.createElement("button");
        chip.type = "button";
        chip.className = "chip";
        chip.textContent = stop.name;
        chip.addEventListener("click", () => {
          this.begin();
          this.stop = stop;
          this.fill("kind", stop.kind);
          this.fill("where", stop.name);
          if (stop.worker) this.showWorkers([stop.worker]);
          (this.form.elements.namedItem("where") as HTMLInputElement).focus();
        });
        return chip;
      }),
    );
    if (!this.editing && !this.form.querySelector('input[name="people"]:checked')) this.showWorkers([]);
    this.part("recent").hidden = !kit?.recent.length;
    this.part("recent-list").replaceChildren(...(kit?.recent ?? []).map((visit) => this.recentOf(visit)));
  }

  private showWorkers(checked: string[]): void {
    const workers = this.kit?.workers ?? [];
    this.part("people").hidden = !workers.length;
    this.part("workers").replaceChildren(
      ...workers.map(({ id, name }) => {
        const label = document.createElement("label");
        const box = document.createElement("input");
        box.type = "checkbox";
        box.name = "people";
        box.value = id;
        box.checked = checked.includes(id);
        label.append(box, ` ${name}`);
        return label;
      }),
    );
  }

  private line(title: string, meta: string[], buttons: HTMLElement[]): HTMLElement {
    const item = document.createElement("li");
    const head = document.createElement("span");
    head.className = "entry-title";
    head.textContent = title;
    const below = document.createElement("span");
    below.className = "entry-meta";
    for (const text of meta.filter(Boolean)) {
      const part = document.createElement("span");
      part.textContent = text;
      below.append(part);
    }
    const row = document.createElement("div");
    row.className = "row";
    row.append(...buttons);
    item.append(head, below, row);
    return item;
  }

  private button(name: string, act: () => void): HTMLButtonElement {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small";
    button.textContent = say(this.words, name);
    button.addEventListener("click", act);
    return button;
  }

  private recentOf(visit: Visit): HTMLElement {
    const { facts } = visit;
    const needs = visit.needs.length ? say(this.words, "needs", { list: visit.needs.join("、") }) : "";
    return this.line(
      facts.where,
      [local(new Date(facts.at)).replace("T", " "), needs],
      [
        this.button("change", () => {
          this.begin({ client_id: visit.client_id, base: visit.revision, facts });
          this.form.scrollIntoView();
        }),
      ],
    );
  }

  private async showDrafts(): Promise<void> {
    const waiting = await drafts();
    this.part("waiting").hidden = !waiting.length;
    this.part("list").replaceChildren(...waiting.map((draft) => this.draftOf(draft)));
    if (!waiting.some((draft) => draft.client_id === this.choosing?.client_id)) {
      this.choosing = undefined;
      this.part("conflict").hidden = true;
    }
  }

  private draftOf(draft: Draft): HTMLElement {
    const state = { waits: "waits", conflict: "conflict", refused: "refused" }[draft.state];
    const buttons: HTMLElement[] = [];
    if (draft.state === "conflict") buttons.push(this.button("choose", () => this.choose(draft)));
    else
      buttons.push(
        this.button("change", () => {
          this.begin({
            client_id: draft.client_id,
            base: draft.base,
            facts: draft.facts,
            ...(draft.settles ? { settles: draft.settles } : {}),
          });
          this.form.scrollIntoView();
        }),
      );
    if (draft.state === "refused")
      buttons.push(
        this.button("drop", () => {
          void dropDraft(draft.client_id).then(() => this.showDrafts());
        }),
      );
    const photos = draft.photos.length ? say(this.words, "photos", { n: draft.photos.length }) : "";
    const item = this.line(
      draft.facts.where,
      [say(this.words, state, { words: draft.words }), photos],
      buttons,
    );
    item.dataset.state = draft.state;
    return item;
  }

  /** Both versions, line by line; yours is chosen to begin with. */
  private choose(draft: Draft): void {
    if (!draft.conflict) return;
    this.choosing = draft;
    this.part("differences").replaceChildren(
      ...draft.conflict.differences.map((line) => {
        const set = document.createElement("fieldset");
        set.className = "field field-choices two-versions";
        const legend = document.createElement("legend");
        legend.className = "field-label";
        legend.textContent = line.label;
        set.append(legend);
        for (const side of ["present", "yours"] as const) {
          const label = document.createElement("label");
          const radio = document.createElement("input");
          radio.type = "radio";
          radio.name = `hold-${line.field}`;
          radio.value = side;
          radio.checked = side === "yours";
          const head = document.createElement("strong");
          head.textContent = say(this.words, side);
          const text = document.createElement("span");
          text.className = "version-text";
          text.textContent = line[side] || say(this.words, "empty");
          label.append(radio, head, text);
          set.append(label);
        }
        return set;
      }),
    );
    this.part("conflict").hidden = false;
    this.root.querySelector<HTMLElement>("#two")?.focus();
  }

  private async settle(): Promise<void> {
    const draft = this.choosing;
    const conflict = draft?.conflict;
    if (!draft || !conflict) return;
    const chosen: Record<string, unknown> = { ...conflict.visit.facts };
    const yours = conflict.yours as unknown as Record<string, unknown>;
    let takesAny = false;
    for (const { field } of conflict.differences) {
      const radio = this.root.querySelector<HTMLInputElement>(`input[name="hold-${field}"]:checked`);
      if (radio?.value === "yours") {
        chosen[field] = yours[field];
        takesAny = true;
      }
    }
    this.part("conflict").hidden = true;
    this.choosing = undefined;
    if (!takesAny && this.kit && this.isFresh) {
      await keepPresent(draft, this.kit).catch(() => this.tell("offline"));
      await this.sync();
      return;
    }
    await keepDraft({
      ...draft,
      request_id: crypto.randomUUID(),
      base: conflict.visit.revision,
      facts: chosen as unknown as Facts,
      state: "waits",
      settles: conflict.request_id,
    });
    await this.showDrafts();
    await this.sync();
  }

  /** Let the service worker keep this page for the way. */
  private async keepPage(): Promise<void> {
    if (!("serviceWorker" in navigator)) return;
    const { active } = await navigator.serviceWorker.ready;
    const channel = new MessageChannel();
    channel.port1.onmessage = (event) => {
      if (event.data === "kept") this.root.dataset.kept = "yes";
    };
    active?.postMessage({ keep: "/visit-form/" }, [channel.port2]);
  }
}

const root = document.querySelector<HTMLElement>("[data-visits]");
if (root) void new VisitPage(root).start();
