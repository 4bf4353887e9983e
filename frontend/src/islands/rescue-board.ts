/** The duty desk's board: the map follows the list; a call can be dragged onto a rescuer. */
import { followOnMap, markOf } from "../rescue/follow";
import type { Position } from "../rescue/map";
import { say, wordsFrom } from "../words";

interface Marks {
  calls: { id: string; lon: number; lat: number; tone: string; name: string; words: string; url: string }[];
  rescuers: { id: string; lon: number; lat: number; name: string; free: boolean; silent: boolean }[];
}

const words = wordsFrom("rescue-words");

async function draw(root: HTMLElement): Promise<(marks: Marks) => void> {
  const { COLOURS, drawMap, mark } = await import("../rescue/map");
  const known = markOf<Marks>(root) ?? { calls: [], rescuers: [] };
  const all: Position[] = [...known.calls, ...known.rescuers].map(({ lon, lat }) => [lon, lat]);
  const map = await drawMap(root, words, all);
  const line = root.querySelector<HTMLElement>("[data-part=map-line]");
  if (line) line.hidden = false;
  const markers = new Map<string, import("maplibre-gl").Marker>();
  const show = ({ calls, rescuers }: Marks): void => {
    const seen = new Set<string>();
    const put = (id: string, at: Position, name: string, color: string, url?: string): void => {
      const key = `${id} ${color}`;
      seen.add(key);
      const there = markers.get(key);
      if (there) there.setLngLat(at);
      else {
        const made = mark(map, at, name, { color });
        if (url) {
          made.getElement().style.cursor = "pointer";
          made.getElement().addEventListener("click", () => location.assign(url));
        }
        markers.set(key, made);
      }
    };
    for (const { id, lon, lat, free, silent, name } of rescuers)
      put(id, [lon, lat], name, silent ? COLOURS.quiet : free ? COLOURS.rescuer : COLOURS.busy);
    for (const { id, lon, lat, name, words: state, url } of calls)
      put(id, [lon, lat], `${name} · ${state}`, COLOURS.rider, url);
    for (const [key, marker] of markers)
      if (!seen.has(key)) {
        marker.remove();
        markers.delete(key);
      }
  };
  show(known);
  const box = root.querySelector<HTMLInputElement>("[data-part=show-coverage]");
  box?.addEventListener("change", () => void cover(map, root.dataset.coverage ?? "", box.checked));
  return show;
}

async function cover(map: import("maplibre-gl").Map, address: string, shown: boolean): Promise<void> {
  if (map.getLayer("coverage")) {
    map.removeLayer("coverage");
    map.removeSource("coverage");
  }
  if (!shown) return;
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) return;
  map.addSource("coverage", { type: "geojson", data: (await answer.json()) as GeoJSON.FeatureCollection });
  map.addLayer({
    id: "coverage",
    type: "fill",
    source: "coverage",
    paint: {
      "fill-opacity": 0.35,
      "fill-color": [
        "interpolate",
        ["linear"],
        ["get", "minutes"],
        5,
        "#0b6247",
        15,
        "#e0b000",
        30,
        "#b3211b",
      ] as never,
    },
  });
}

/** A row dragged onto a rescuer sends its own form with that rescuer chosen, after a question. Says whether one is held. */
function letDrag(root: HTMLElement): () => boolean {
  let dragged: HTMLElement | null = null;
  root.addEventListener("dragstart", (event) => {
    dragged = (event.target as HTMLElement).closest<HTMLElement>("tr[data-call]");
  });
  root.addEventListener("dragend", () => {
    dragged = null;
  });
  const rescuer = (event: Event): HTMLElement | null => {
    const found = (event.target as HTMLElement).closest<HTMLElement>("[data-rescuer]");
    return found && found.dataset.full === undefined ? found : null;
  };
  root.addEventListener("dragover", (event) => {
    if (dragged && rescuer(event)) event.preventDefault();
  });
  root.addEventListener("drop", (event) => {
    const onto = rescuer(event);
    const form = dragged?.querySelector<HTMLFormElement>("form.rescue-send");
    const choice = form?.elements.namedItem("rescuer");
    if (!onto || !form || !(choice instanceof HTMLSelectElement)) return;
    event.preventDefault();
    choice.value = onto.dataset.rescuer ?? "";
    const name = choice.selectedOptions[0]?.textContent?.trim() ?? "";
    if (choice.value && confirm(say(words, "send", { name }))) form.submit();
  });
  return () => dragged !== null;
}

const root = document.querySelector<HTMLElement>("[data-board]");
if (root) {
  followOnMap<Marks>(root, draw, { held: letDrag(root) });
}
