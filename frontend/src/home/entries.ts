/** One place as a row of the list: the same markup as the server's, from the page's template. */
import { clock, distance, say, type Words } from "../words";
import type { MapPlace, NearPlace } from "./api";

const CLOSES_SOON_MS = 30 * 60_000;
const DAY = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai", dateStyle: "short" });

/** "Open now, closes at 21:00" and the tone that repeats it. */
export function stateOf(
  words: Words,
  place: Pick<MapPlace, "state" | "changes_at">,
  now = new Date(),
): [sentence: string, tone: string] {
  const { state, changes_at } = place;
  if (state === "unknown") return [say(words, "state_unknown"), "neutral"];
  const isOpen = state === "yes";
  const name = isOpen ? "state_open" : "state_closed";
  if (changes_at === null) return [say(words, name), isOpen ? "good" : "neutral"];
  const changes = new Date(changes_at * 1000);
  const day = DAY.format(changes);
  const when = day === DAY.format(now) ? "today" : dayAfter(changes, now) ? "tomorrow" : "later";
  const [, month = 0, date = 0] = day.split("-").map(Number);
  const sentence = say(words, `${name}_${when}`, { time: clock(changes).slice(0, 5), month, day: date });
  const soon = isOpen && changes.getTime() - now.getTime() <= CLOSES_SOON_MS;
  return [sentence, isOpen ? (soon ? "warn" : "good") : "neutral"];
}

function dayAfter(changes: Date, now: Date): boolean {
  return DAY.format(changes) === DAY.format(new Date(now.getTime() + 86_400_000));
}

/** A row for `place`. */
export function rowOf(
  template: HTMLTemplateElement,
  words: Words,
  place: Omit<NearPlace, "distance_m"> & { distance_m?: number; along_m?: number; detour_m?: number },
): HTMLLIElement {
  const row = (template.content.cloneNode(true) as DocumentFragment).querySelector("li");
  if (!row) throw new Error("the template of a place holds no row");
  const part = (name: string) => row.querySelector<HTMLElement>(`[data-part="${name}"]`);
  const set = (name: string, text: string) => {
    const found = part(name);
    if (found) found.textContent = text;
  };
  row.dataset.place = place.id;
  row.dataset.lon = String(place.lon);
  row.dataset.lat = String(place.lat);
  (part("name") as HTMLAnchorElement).href = place.url;
  const [state, tone] = stateOf(words, place);
  set("name", place.name);
  if (place.along_m !== undefined) {
    const [far, detour] = [place.along_m, place.detour_m ?? 0].map((metres) => distance(words, metres));
    set("distance", say(words, "on_the_way", { far: far ?? "", detour: detour ?? "" }));
  } else if (place.distance_m !== undefined) set("distance", distance(words, place.distance_m));
  set("kind", words[`kind_${place.kind}`] ?? "");
  set("address", place.address);
  set(
    "offers",
    place.offers
      .map((code) => words[`offer_${code}`] ?? "")
      .filter(Boolean)
      .join(say(words, "comma")),
  );
  set("state", state);
  part("state")?.classList.replace("status-neutral", `status-${tone}`);
  return row;
}
