/**
 * The home page, improved: the server has already listed the stations. This adds the map, the reader's position and distances, and
 * changes filters without loading the page anew.
 */
import { type Filters, filtersOf, nearest } from "../home/api";
import { rowOf } from "../home/entries";
import type { HomeMap } from "../home/map";
import { metresBetween } from "../home/metres";
import { distance, say, wordsFrom } from "../words";

interface Position {
  lon: number;
  lat: number;
  /** From the device, or tapped on the map. */
  from: "device" | "map";
}

const FRAMED = 8; // so many of the nearest are on the map at first

class HomePage {
  private readonly words = { ...wordsFrom("home-words"), ...wordsFrom("home-vocabulary") };
  private filters: Filters = filtersOf(location.search);
  private position: Position | null = null;
  private map: HomeMap | null = null;
  private turn = 0;

  constructor(private readonly root: HTMLElement) {
    const locate = this.part("locate");
    locate.hidden = !("geolocation" in navigator);
    locate.addEventListener("click", () => this.locate());
    root.addEventListener("click", (event) => this.followFilter(event));
    root.addEventListener("pointerover", (event) => this.point(event));
    root.addEventListener("focusin", (event) => this.point(event));
    addEventListener("popstate", () => void this.show(new URL(location.href), false));
    void this.drawMap();
    void this.locateIfAllowed();
  }

  private part(name: string): HTMLElement {
    const found = this.root.querySelector<HTMLElement>(`[data-part="${name}"]`);
    if (!found) throw new Error(`the home page has no part ${name}`);
    return found;
  }

  private tell(name: string): void {
    this.part("position").textContent = name && say(this.words, name);
  }

  // --- the map ---

  private async drawMap(): Promise<void> {
    const frame = this.part("map").parentElement;
    const note = (name: string, state: string) => {
      this.part("map-note").textContent = say(this.words, name);
      if (frame) frame.dataset.state = state;
    };
    try {
      const [{ canDrawMaps }, { HomeMap }] = await Promise.all([
        import("../map/base"),
        import("../home/map"),
      ]);
      if (!canDrawMaps()) throw new Error("no WebGL");
      this.map = await HomeMap.on(this.part("map"), this.root.dataset, this.words, {
        lookNear: (lon, lat) => {
          this.position = { lon, lat, from: "map" };
          void this.sort();
        },
        chose: (id) => this.choose(id),
      });
    } catch (reason) {
      console.warn("No map:", reason);
      note("no_map", "none");
      return;
    }
    if (frame) frame.dataset.state = "drawn";
    this.map.filter(this.filters);
    if (this.position) this.map.showPosition(this.position.lon, this.position.lat);
    try {
      await this.map.load();
      if (this.position) void this.sort();
      else this.map.frameAll();
    } catch (reason) {
      console.warn("No stations on the map:", reason);
      if (!this.part("position").textContent) this.tell("no_index");
    }
  }

  private choose(id: string): void {
    for (const row of this.root.querySelectorAll<HTMLElement>("[data-place]")) {
      const chosen = row.dataset.place === id;
      row.toggleAttribute("data-chosen", chosen);
      if (chosen && matchMedia("(min-width: 60rem)").matches) row.scrollIntoView({ block: "nearest" });
    }
  }

  private point(event: Event): void {
    const row = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-lon]") : null;
    if (row) this.map?.ring([Number(row.dataset.lon), Number(row.dataset.lat)]);
  }

  // --- the position ---

  private async locateIfAllowed(): Promise<void> {
    try {
      const permission = await navigator.permissions.query({ name: "geolocation" });
      if (permission.state === "granted") this.locate();
    } catch {
      // A browser that cannot tell: the button asks.
    }
  }

  private locate(): void {
    const button = this.part("locate") as HTMLButtonElement;
    button.disabled = true;
    this.tell("locating");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        button.disabled = false;
        button.dataset.done = "";
        this.position = { lon: coords.longitude, lat: coords.latitude, from: "device" };
        this.map?.showPosition(coords.longitude, coords.latitude);
        void this.sort();
      },
      (refusal) => {
        button.disabled = false;
        this.tell(refusal.code === refusal.PERMISSION_DENIED ? "denied" : "unavailable");
      },
      { enableHighAccuracy: true, timeout: 12_000, maximumAge: 60_000 },
    );
  }

  // --- the list ---

  private followFilter(event: MouseEvent): void {
    const link =
      event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-filter]") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    void this.show(new URL(link.href), true);
  }

  /** Show the page at another address of ours: the server's list, then sorted by distance where a position is known. */
  private async show(url: URL, isNew: boolean): Promise<void> {
    const turn = ++this.turn;
    let page: Document;
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      location.assign(url);
      return;
    }
    if (turn !== this.turn) return;
    if (isNew) history.pushState(null, "", url);
    const opened = this.root.querySelector<HTMLDetailsElement>(".home-offers")?.open ?? false;
    const scrolled = [...this.root.querySelectorAll(".chips-scroll")].map((chips) => chips.scrollLeft);
    for (const name of ["answer", "search", "title"]) {
      const fresh = page.querySelector(`[data-part="${name}"]`);
      if (fresh) this.part(name).replaceWith(document.adoptNode(fresh));
    }
    this.root.querySelectorAll(".chips-scroll").forEach((chips, at) => {
      chips.scrollLeft = scrolled[at] ?? 0;
    });
    const offers = this.root.querySelector<HTMLDetailsElement>(".home-offers");
    if (offers) offers.open ||= opened;
    this.filters = filtersOf(url.search);
    this.map?.filter(this.filters);
    if (this.position) await this.sort();
  }

  private async sort(): Promise<void> {
    const { position, filters } = this;
    if (!position) return;
    if (filters.text) {
      this.sortRows(position);
      return;
    }
    const turn = ++this.turn;
    try {
      const { places, kept } = await nearest(
        this.root.dataset.nearest ?? "/api/places/nearest",
        position.lon,
        position.lat,
        filters,
      );
      if (turn !== this.turn) return;
      const template = document.querySelector<HTMLTemplateElement>("#place-entry");
      if (!template) return;
      this.part("list").replaceChildren(...places.map((place) => rowOf(template, this.words, place)));
      this.root.querySelector('[data-part="empty"]')?.toggleAttribute("hidden", places.length > 0);
      this.part("pager").hidden = true;
      this.part("number").textContent = places.length
        ? say(this.words, "nearest_count", { n: places.length })
        : say(this.words, "none_near");
      this.tell(kept ? "kept" : position.from === "device" ? "located" : "picked");
      this.map?.frame([
        [position.lon, position.lat],
        ...places.slice(0, FRAMED).map(({ lon, lat }): [number, number] => [lon, lat]),
      ]);
    } catch (reason) {
      console.warn("Not sorted:", reason);
      if (turn !== this.turn) return;
      this.tell("failed");
      this.map?.frame([[position.lon, position.lat]]);
    }
  }

  /** The rows that the server found for a word, by distance. */
  private sortRows(position: Position): void {
    const list = this.part("list");
    const rows = [...list.querySelectorAll<HTMLElement>("[data-lon]")].map((row) => ({
      row,
      metres: metresBetween(position.lon, position.lat, Number(row.dataset.lon), Number(row.dataset.lat)),
    }));
    rows.sort((a, b) => a.metres - b.metres);
    for (const { row, metres } of rows) {
      const shown = row.querySelector<HTMLElement>('[data-part="distance"]');
      if (shown) shown.textContent = distance(this.words, metres);
      list.append(row);
    }
    this.tell(position.from === "device" ? "located" : "picked");
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-home]")) new HomePage(root);
