/**
 * Pages that follow by themselves: a part is fetched when the stream says that something changed, and every few seconds
 * while no stream stands; when more than the part changed, all is.
 */
import { Stream, type Told } from "./stream";

export interface Following {
  /** Called after the part was drawn anew. */
  drawn?: (part: HTMLElement) => void;
  /** Called when the network comes or goes. */
  network?: (there: boolean) => void;
  /** Called with what the stream tells beside that something changed. */
  hear?: (name: string, told: Told) => void;
  /** Whether something is being done with the part by hand, which drawing it anew would undo. */
  held?: (() => boolean) | undefined;
}

// While a stream stands the page still asks now and then: minutes pass and phones fall silent without an event.
const SELDOM_S = 30;

// A form that is sent changes what the stream tells of, often before its own answer is here: drawing or loading this page
// anew would then lose the answer and what it says.
const LEAVING_MS = 15_000; // after that the network has failed and the page stands still
let left = 0;
window.addEventListener("beforeunload", () => {
  left = Date.now();
});

/** Whether this page is on its way to another. */
export function leaving(): boolean {
  return Date.now() - left < LEAVING_MS;
}

/** Load this page anew, unless it is already being left. */
export function loadAnew(): void {
  if (!leaving()) location.reload();
}

/** Follow `data-live` of the root, by the stream at `data-events` or every `data-seconds`. A hidden page asks nothing. */
export function follow(root: HTMLElement, { drawn, network, hear, held }: Following): void {
  const part = root.querySelector<HTMLElement>("[data-part=live]");
  const { live: address, version, events } = root.dataset;
  const seconds = Number(root.dataset.seconds ?? 5);
  if (!part || !address) return;
  let last = part.innerHTML;
  let asked = Date.now();
  let asking = false;
  let more = false;
  let missed = false;
  const busy = (): boolean => {
    const at = document.activeElement;
    const writes = at instanceof HTMLElement && part.contains(at) && at.matches("input, select, textarea");
    return writes || (held?.() ?? false);
  };
  const ask = async (): Promise<void> => {
    const answer = await fetch(address, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    network?.(true);
    stream?.renew(answer.headers.get("X-Events") ?? events ?? "");
    const seen = answer.headers.get("X-Version");
    if (seen !== null && seen !== version) {
      loadAnew();
      return;
    }
    if (answer.status === 204) return; // nothing to draw: the version says it all
    const text = await answer.text();
    if (text === last) return;
    last = text;
    part.innerHTML = text;
    drawn?.(part);
  };
  const look = async (): Promise<void> => {
    missed = document.hidden || leaving() || busy(); // made up for as soon as hands are off it
    if (missed) return;
    if (asking) {
      more = true; // it changed again while we were asking
      return;
    }
    asking = true;
    asked = Date.now();
    try {
      await ask();
    } catch {
      network?.(false);
    } finally {
      asking = false;
    }
    if (more) {
      more = false;
      await look();
    }
  };
  const stream = events
    ? new Stream(events, {
        stands: () => void look(),
        hear: (name, told) => {
          if (name === "changed" || (name === "call" && String(told.version) !== version)) void look();
          hear?.(name, told);
        },
      })
    : null;
  setInterval(() => {
    const pause = stream?.stand ? Math.max(SELDOM_S, seconds) : seconds;
    if (missed || Date.now() - asked >= pause * 1000 - 100) void look();
  }, seconds * 1000);
  document.addEventListener("visibilitychange", () => void look());
}

/** What a part says for the map. */
export function markOf<T>(part: ParentNode): T | null {
  const text = part.querySelector<HTMLElement>("[data-mark]")?.dataset.mark;
  return text ? (JSON.parse(text) as T) : null;
}

/**
 * Follow with a map: `draw` makes it and gives what shows what a part says; `hear` what is to be shown after an event.
 * Without a map the page follows all the same.
 */
export function followOnMap<T>(
  root: HTMLElement,
  draw: (root: HTMLElement) => Promise<((mark: T) => void) | null>,
  { hear, held }: { hear?: (mark: T, name: string, told: Told) => T | null; held?: () => boolean } = {},
): void {
  let show: ((mark: T) => void) | null = null;
  draw(root)
    .then((made) => {
      show = made;
    })
    .catch((reason: unknown) => console.warn("No map:", reason));
  follow(root, {
    held,
    drawn: (part) => {
      const mark = markOf<T>(part);
      if (mark) show?.(mark);
    },
    hear: (name, told) => {
      const known = markOf<T>(root);
      const mark = known && hear?.(known, name, told);
      if (mark) show?.(mark);
    },
  });
}

/** The position of this phone, or null. */
export function position(timeout = 10_000): Promise<GeolocationCoordinates | null> {
  return new Promise((resolve) => {
    if (!navigator.geolocation) resolve(null);
    else
      navigator.geolocation.getCurrentPosition(
        ({ coords }) => resolve(coords),
        () => resolve(null),
        { enableHighAccuracy: true, timeout, maximumAge: 10_000 },
      );
  });
}
