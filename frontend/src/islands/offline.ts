/** The offline page: the stations last seen, from the phone's memory. */
import type { NearPlace } from "../home/api";
import { rowOf } from "../home/entries";
import { wordsFrom } from "../words";

async function showLastSeen(list: HTMLElement, nothing: HTMLElement): Promise<void> {
  const kept = await caches.match("/api/places/nearest", { ignoreVary: true });
  const template = document.querySelector<HTMLTemplateElement>("#place-entry");
  if (!kept || !template) {
    nothing.hidden = false;
    return;
  }
  const words = { ...wordsFrom("home-words"), ...wordsFrom("home-vocabulary") };
  const { places } = (await kept.json()) as { places: NearPlace[] };
  list.replaceChildren(...places.map((place) => rowOf(template, words, place)));
  nothing.hidden = places.length > 0;
}

const list = document.querySelector<HTMLElement>("[data-last-seen]");
const nothing = document.querySelector<HTMLElement>("[data-nothing-kept]");
if (list && nothing) {
  showLastSeen(list, nothing).catch((reason: unknown) => {
    console.warn("Nothing kept:", reason);
    nothing.hidden = false;
  });
}
