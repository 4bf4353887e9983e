/** The offline page: the places around the last position, from the phone's memory, with their hours as known then. */
import { byDistance } from "../home/api";
import { rowOf } from "../home/entries";
import { kept, placesThen } from "../home/kept";
import { savedAt, say, wordsFrom } from "../words";

const part = (name: string) => document.querySelector<HTMLElement>(`[data-${name}]`);

/** Where the reader is now, if the phone may say so without asking; it stays on the phone. */
async function position(): Promise<GeolocationCoordinates | null> {
  try {
    const { state } = await navigator.permissions.query({ name: "geolocation" });
    if (state !== "granted") return null;
  } catch {
    return null;
  }
  return new Promise((resolve) => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve(coords),
      () => resolve(null),
      { timeout: 8000, maximumAge: 600_000 },
    );
  });
}

/** Offer the stations in the form for reports, which waits on the phone for a network. */
function letReport(places: { id: string; name: string }[]): void {
  const choice = document.querySelector<HTMLSelectElement>("#report-place");
  const section = part("report-here");
  if (!choice || !section || !("indexedDB" in globalThis)) return;
  choice.replaceChildren(...places.map(({ id, name }) => new Option(name, id)));
  section.hidden = false;
}

async function show(list: HTMLElement, nothing: HTMLElement, note: HTMLElement): Promise<void> {
  const memory = await kept();
  const template = document.querySelector<HTMLTemplateElement>("#place-entry");
  if (!memory?.places.length || !template) {
    nothing.hidden = false;
    return;
  }
  const words = { ...wordsFrom("home-words"), ...wordsFrom("home-vocabulary") };
  note.textContent = savedAt(words, memory.saved_at);
  note.hidden = false;
  const places = placesThen(memory);
  letReport(places);
  list.replaceChildren(...places.map((place) => rowOf(template, words, place)));
  const here = await position();
  if (!here) return;
  const sorted = byDistance(places, here.longitude, here.latitude);
  list.replaceChildren(...sorted.map((place) => rowOf(template, words, place)));
  note.textContent = `${savedAt(words, memory.saved_at)} ${say(words, "sorted_here")}`;
}

const [list, nothing, note] = [part("last-seen"), part("nothing-kept"), part("saved")];
if (list && nothing && note) {
  show(list, nothing, note).catch((reason: unknown) => {
    console.warn("Nothing kept:", reason);
    nothing.hidden = false;
  });
}
