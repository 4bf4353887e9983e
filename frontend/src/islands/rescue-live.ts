/** The rider's live page: who comes, on a map that follows. */
import { followOnMap, markOf } from "../rescue/follow";
import type { Position } from "../rescue/map";
import type { Told } from "../rescue/stream";
import { say, wordsFrom } from "../words";

interface Mark {
  call: Position;
  rescuer: Position | null;
}

async function draw(root: HTMLElement): Promise<((mark: Mark) => void) | null> {
  const words = wordsFrom("rescue-words");
  const known = markOf<Mark>(root);
  if (!known) return null;
  const { COLOURS, drawMap, frame, mark } = await import("../rescue/map");
  const around = known.rescuer ? [known.call, known.rescuer] : [known.call];
  const map = await drawMap(root, words, around);
  const form = root.querySelector<HTMLFormElement>("[data-part=move]");
  const here = mark(map, known.call, say(words, "here"), { color: COLOURS.rider, draggable: Boolean(form) });
  if (form) {
    form.hidden = false;
    here.on("dragend", () => {
      const { lng, lat } = here.getLngLat();
      for (const [name, value] of [
        ["lon", lng],
        ["lat", lat],
      ] as const)
        (form.elements.namedItem(name) as HTMLInputElement).value = value.toFixed(6);
      const button = form.querySelector("button");
      if (button) button.disabled = false;
    });
  }
  let comes: import("maplibre-gl").Marker | null = null;
  const show = (told: Mark): void => {
    if (!told.rescuer) {
      comes?.remove();
      comes = null;
    } else if (comes) comes.setLngLat(told.rescuer);
    else {
      comes = mark(map, told.rescuer, say(words, "comes"), { color: COLOURS.rescuer });
      map.fitBounds(frame([told.call, told.rescuer]), { padding: 30, maxZoom: 15 });
    }
  };
  show(known);
  return show;
}

const root = document.querySelector<HTMLElement>("[data-live]");
/** Whoever comes has moved: the mark follows, and the minutes with it. */
function moved(known: Mark, name: string, told: Told): Mark | null {
  if (name !== "position") return null;
  const minutes = root?.querySelector<HTMLElement>(".rescue-minutes strong");
  if (minutes && typeof told.minutes === "number") minutes.textContent = String(told.minutes);
  return { ...known, rescuer: [Number(told.lon), Number(told.lat)] };
}

if (root) followOnMap<Mark>(root, draw, { hear: moved });
