/** Pages that follow by themselves: a part is fetched every few seconds; when more than it changed, all is. */

export interface Following {
  /** Called after the part was drawn anew. */
  drawn?: (part: HTMLElement) => void;
  /** Called when the network comes or goes. */
  network?: (there: boolean) => void;
}

/** Follow `data-live` of the root every `data-seconds`. A hidden page asks nothing. */
export function follow(root: HTMLElement, { drawn, network }: Following): void {
  const part = root.querySelector<HTMLElement>("[data-part=live]");
  const { live: address, version } = root.dataset;
  const seconds = Number(root.dataset.seconds ?? 5);
  if (!part || !address) return;
  let last = part.innerHTML;
  const busy = (): boolean => {
    const at = document.activeElement;
    return at instanceof HTMLElement && part.contains(at) && at.matches("input, select, textarea");
  };
  const look = async (): Promise<void> => {
    if (document.hidden || busy()) return;
    try {
      const answer = await fetch(address, { credentials: "same-origin", cache: "no-store" });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      network?.(true);
      const seen = answer.headers.get("X-Version");
      if (seen !== null && seen !== version) {
        location.reload();
        return;
      }
      if (answer.status === 204) return; // nothing to draw: the version says it all
      const text = await answer.text();
      if (text === last) return;
      last = text;
      part.innerHTML = text;
      drawn?.(part);
    } catch {
      network?.(false);
    }
  };
  setInterval(() => void look(), seconds * 1000);
  document.addEventListener("visibilitychange", () => void look());
}

/** What a part says for the map. */
export function markOf<T>(part: ParentNode): T | null {
  const text = part.querySelector<HTMLElement>("[data-mark]")?.dataset.mark;
  return text ? (JSON.parse(text) as T) : null;
}

/**
 * Follow with a map: `draw` makes it and gives what shows what a part says. Without a map the page follows all the same.
 */
export function followOnMap<T>(
  root: HTMLElement,
  draw: (root: HTMLElement) => Promise<((mark: T) => void) | null>,
): void {
  let show: ((mark: T) => void) | null = null;
  draw(root)
    .then((made) => {
      show = made;
    })
    .catch((reason: unknown) => console.warn("No map:", reason));
  follow(root, {
    drawn: (part) => {
      const mark = markOf<T>(part);
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
