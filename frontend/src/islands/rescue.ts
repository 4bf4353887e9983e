/** Calling for help: the position from the phone, a mark to move, and a call that waits for a network by itself. */
import { position } from "../rescue/follow";
import { forgetCall, keepCall, sendCall, type WaitingCall, waitingCall } from "../rescue/outbox";
import { distance, say, wordsFrom } from "../words";

const words = wordsFrom("rescue-words");

function field(form: HTMLFormElement, name: string): HTMLInputElement | null {
  const found = form.elements.namedItem(name);
  return found instanceof HTMLInputElement ? found : null;
}

function chosen(form: HTMLFormElement, name: string): string {
  return form.querySelector<HTMLInputElement>(`input[name="${name}"]:checked`)?.value ?? "";
}

async function showPoints(lon: number, lat: number): Promise<void> {
  const section = document.querySelector<HTMLElement>("[data-part=points]");
  const list = section?.querySelector<HTMLElement>("[data-part=points-list]");
  if (!section || !list) return;
  const query = new URLSearchParams({
    lon: lon.toFixed(4), // rounded to about ten metres before it leaves the phone
    lat: lat.toFixed(4),
    datum: "WGS-84",
    kinds: "repair_point",
    open: "now",
    count: "3",
  });
  const answer = await fetch(`/api/places/nearest?${query}`).catch(() => null);
  if (!answer?.ok) return;
  const { places } = (await answer.json()) as { places: { id: string; name: string; distance_m: number }[] };
  list.replaceChildren(
    ...places.map((place) => {
      const row = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/places/${place.id}/`;
      link.textContent = place.name;
      row.append(link, ` · ${distance(words, place.distance_m)}`);
      return row;
    }),
  );
  section.hidden = places.length === 0;
}

class Page {
  private readonly told: HTMLElement | null;
  private marker: import("maplibre-gl").Marker | null = null;
  private map: import("maplibre-gl").Map | null = null;

  constructor(private readonly form: HTMLFormElement) {
    this.told = form.querySelector("[data-part=position]");
    form.addEventListener("change", () => this.askWhetherHurt());
    this.askWhetherHurt();
    form.addEventListener("submit", (event) => void this.send(event));
    void this.locate();
  }

  private askWhetherHurt(): void {
    const section = this.form.querySelector<HTMLElement>("[data-part=accident]");
    if (section) section.hidden = chosen(this.form, "problem") !== "accident";
  }

  private put(lon: number, lat: number, accuracy: number | null): void {
    for (const [name, value] of [
      ["lon", lon.toFixed(6)],
      ["lat", lat.toFixed(6)],
      ["accuracy_m", accuracy === null ? "" : String(Math.round(accuracy))],
    ] as const) {
      const input = field(this.form, name);
      if (input) input.value = value;
    }
  }

  private async locate(): Promise<void> {
    const typed = field(this.form, "lon")?.value;
    if (this.told) this.told.textContent = say(words, "asking");
    const coords = typed ? null : await position();
    if (coords) {
      this.put(coords.longitude, coords.latitude, coords.accuracy);
      if (this.told)
        this.told.textContent = say(words, "found", { metres: Math.max(5, Math.round(coords.accuracy)) });
      void showPoints(coords.longitude, coords.latitude);
    } else if (this.told) this.told.textContent = say(words, "typed");
    await this.draw().catch((reason: unknown) => console.warn("No map:", reason));
  }

  private async draw(): Promise<void> {
    const { COLOURS, drawMap, mark } = await import("../rescue/map");
    const [lon, lat] = ["lon", "lat"].map((name) => Number(field(this.form, name)?.value || Number.NaN));
    const known = Number.isFinite(lon) && Number.isFinite(lat);
    this.map = await drawMap(this.form, words, known ? [[lon as number, lat as number]] : []);
    const moved = (at: { lng: number; lat: number }): void => {
      this.put(at.lng, at.lat, null);
      if (this.told) this.told.textContent = say(words, "moved");
    };
    const put = (at: [number, number]): void => {
      if (!this.map) return;
      if (this.marker) this.marker.setLngLat(at);
      else {
        this.marker = mark(this.map, at, say(words, "here"), { color: COLOURS.rider, draggable: true });
        this.marker.on("dragend", () => {
          const where = this.marker?.getLngLat();
          if (where) moved(where);
        });
      }
    };
    if (known) put([lon as number, lat as number]);
    this.map.on("click", ({ lngLat }) => {
      put([lngLat.lng, lngLat.lat]);
      moved(lngLat);
    });
    const numbers = this.form.querySelector<HTMLElement>("[data-part=numbers]");
    if (numbers && known) numbers.hidden = true; // the map says it better
  }

  private call(): WaitingCall | null {
    const { form } = this;
    const hurt = chosen(form, "is_injured");
    const photo = field(form, "photo")?.files?.[0] ?? null;
    const [lon, lat] = ["lon", "lat"].map((name) => Number(field(form, name)?.value || Number.NaN));
    const id = field(form, "request_id")?.value || crypto.randomUUID?.();
    const problem = chosen(form, "problem");
    if (!id || !problem || !Number.isFinite(lon) || !Number.isFinite(lat)) return null;
    if (problem === "accident" && !hurt) return null;
    return {
      id,
      problem,
      is_injured: hurt ? hurt === "yes" : null,
      lon: lon as number,
      lat: lat as number,
      accuracy_m: Number(field(form, "accuracy_m")?.value) || null,
      words: field(form, "words")?.value.trim() ?? "",
      contact_phone: field(form, "contact_phone")?.value.trim() ?? "",
      photo,
      called_at: new Date().toISOString(),
    };
  }

  private async send(event: Event): Promise<void> {
    const call = this.call();
    if (!call) return; // the server says at its field what is lacking
    event.preventDefault();
    if (this.form.dataset.sent) return;
    this.form.dataset.sent = "yes";
    const button = this.form.querySelector<HTMLButtonElement>("button.button-primary");
    if (button) button.textContent = say(words, "sending");
    try {
      await keepCall(call);
    } catch {
      this.form.submit();
      return;
    }
    await tell(await sendCall(call), call, () => this.form.submit());
  }
}

/** Show what became of a call that was kept here; `plain` sends the form as forms are. */
async function tell(
  outcome: Awaited<ReturnType<typeof sendCall>>,
  call: WaitingCall,
  plain?: () => void,
): Promise<void> {
  if (outcome.kind === "sent") {
    location.assign(`/rescue/c/${outcome.token}/`);
    return;
  }
  if (outcome.kind === "refused" && plain) {
    plain(); // it says at which field
    return;
  }
  const note = document.querySelector<HTMLElement>("[data-part=waiting]");
  if (!note) return;
  note.hidden = false;
  const text = document.createElement("p");
  text.className = "note note-warn";
  text.textContent =
    outcome.kind === "waits" ? say(words, "waits") : say(words, "refused", { reason: outcome.reason });
  const discard = document.createElement("button");
  discard.type = "button";
  discard.className = "button button-small";
  discard.textContent = say(words, "discard");
  discard.addEventListener("click", () => void forgetCall(call.id).then(() => location.reload()));
  text.append(document.createElement("br"), discard);
  note.replaceChildren(text);
  note.scrollIntoView({ block: "center" });
}

async function sendWhatWaits(): Promise<void> {
  const call = await waitingCall().catch(() => undefined);
  if (call) await tell(await sendCall(call), call);
}

const form = document.querySelector<HTMLFormElement>("form[data-rescue-call]");
if (form) {
  void sendWhatWaits();
  addEventListener("online", () => void sendWhatWaits());
  setInterval(() => void sendWhatWaits(), 10_000);
  new Page(form);
}
