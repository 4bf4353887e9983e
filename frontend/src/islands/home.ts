/**
 * The home page, improved: the server has already listed the stations. This adds the map, the reader's position and distances, and
 * changes filters without loading the page anew.
 */
import { along, type Filters, filtersOf, keepAround, type NearPlace, nearest, search } from "../home/api";
import { rowOf } from "../home/entries";
import type { HomeMap } from "../home/map";
import { metresBetween } from "../home/metres";
import { savedAt, say, wordsFrom } from "../words";

interface Position {
  lon: number;
  lat: number;
  /** From the device, or tapped on the map. */
  from: "device" | "map";
}

const FRAMED = 8; // so many of the nearest are on the map at first
const LONGEST_STEP_M = 50_000; // of a way from corner to corner, as the server has it
const TYPED_FOR_MS = 300;

class HomePage {
  private readonly words = { ...wordsFrom("home-words"), ...wordsFrom("home-vocabulary") };
  private filters: Filters = filtersOf(location.search);
  private position: Position | null = null;
  /** The corners of the way along which stations are looked for; null: near a position. */
  private way: [number, number][] | null = null;
  private map: HomeMap | null = null;
  private turn = 0;
  private typing: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly root: HTMLElement) {
    const locate = this.part("locate");
    locate.hidden = !("geolocation" in navigator);
    locate.addEventListener("click", () => this.locate());
    root.addEventListener("click", (event) => this.followFilter(event));
    this.part("way").addEventListener("click", () => this.lookAlong(this.way === null));
    this.part("way-middle").addEventListener("click", () => this.map && this.addCorner(...this.map.middle));
    this.part("way-back").addEventListener("click", () => this.takeCornerBack());
    this.part("way-end").addEventListener("click", () => this.lookAlong(false));
    root.addEventListener("pointerover", (event) => this.point(event));
    root.addEventListener("focusin", (event) => this.point(event));
    root.addEventListener("input", (event) => this.searchWhileTyping(event));
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
        tookCorner: (lon, lat) => this.way !== null && this.addCorner(lon, lat),
      });
    } catch (reason) {
      console.warn("No map:", reason);
      note("no_map", "none");
      return;
    }
    if (frame) frame.dataset.state = "drawn";
    this.part("way").hidden = false;
    this.map.filter(this.filters, this.idsForText());
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
        keepAround(this.nearestUrl, coords.longitude, coords.latitude).catch((reason: unknown) => {
          console.info("Nothing kept for later:", reason);
        });
      },
      (refusal) => {
        button.disabled = false;
        this.tell(refusal.code === refusal.PERMISSION_DENIED ? "denied" : "unavailable");
      },
      { enableHighAccuracy: true, timeout: 12_000, maximumAge: 60_000 },
    );
  }

  // --- the way ---

  /** Begin to look along a way, which is given by tapping its corners, or end it. */
  private lookAlong(begin: boolean): void {
    this.way = begin ? (this.position ? [[this.position.lon, this.position.lat]] : []) : null;
    this.part("way").setAttribute("aria-pressed", String(begin));
    this.part("way-bar").hidden = !begin;
    this.part("map").toggleAttribute("data-way", begin);
    this.map?.showWay(this.way ?? []);
    this.tell(begin ? (this.position ? "way_from_here" : "way_from_first") : "");
    if (begin) {
      this.part("map").scrollIntoView({ block: "nearest" });
      return;
    }
    void this.show(new URL(location.href), false);
  }

  private addCorner(lon: number, lat: number): boolean {
    if (this.way === null) return false;
    const last = this.way.at(-1);
    if (last && metresBetween(last[0], last[1], lon, lat) > LONGEST_STEP_M) {
      this.tell("way_too_far");
      return true;
    }
    this.way.push([lon, lat]);
    this.showWay();
    return true;
  }

  private takeCornerBack(): void {
    this.way?.pop();
    this.showWay();
  }

  private showWay(): void {
    if (this.way === null) return;
    this.map?.showWay(this.way);
    if (this.way.length > 1) void this.sort();
    else this.tell(this.way.length ? "way_next" : "way_from_first");
  }

  private async sortAlong(way: [number, number][]): Promise<void> {
    const turn = ++this.turn;
    try {
      const { places, total } = await along(this.root.dataset.along ?? "", way, this.filters);
      if (turn !== this.turn) return;
      this.fill(places);
      const name = places.length ? (total > places.length ? "way_first" : "way_count") : "way_none";
      this.part("number").textContent = say(this.words, name, { n: places.length, total });
      this.tell("way_sorted");
      this.map?.filter(this.filters, new Set(places.map(({ id }) => id)));
      this.map?.frame(way);
    } catch (reason) {
      console.warn("Not looked along the way:", reason);
      if (turn === this.turn) this.tell("way_failed");
    }
  }

  // --- the list ---

  private get nearestUrl(): string {
    return this.root.dataset.nearest ?? "/api/places/nearest";
  }

  /** The stations of the list when a text is searched, for the map to show the same. */
  private idsForText(): Set<string> | null {
    if (!this.filters.text) return null;
    return new Set(
      [...this.root.querySelectorAll<HTMLElement>("[data-place]")].map((row) => row.dataset.place ?? ""),
    );
  }

  private searchWhileTyping(event: Event): void {
    const box = event.target;
    if (!(box instanceof HTMLInputElement) || box.name !== "q") return;
    clearTimeout(this.typing);
    this.typing = setTimeout(() => {
      const url = new URL(location.href);
      const text = box.value.trim();
      if (text === this.filters.text) return;
      if (this.way) this.lookAlong(false);
      url.searchParams.delete("page");
      if (text) url.searchParams.set("q", text);
      else url.searchParams.delete("q");
      void this.show(url, false, true);
    }, TYPED_FOR_MS);
  }

  private followFilter(event: MouseEvent): void {
    const link =
      event.target instanceof Element ? event.target.closest<HTMLAnchorElement>("a[data-filter]") : null;
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    void this.show(new URL(link.href), true);
  }

  /** Show the page at another address of ours: the server's list, then sorted by distance where a position is known. */
  private async show(url: URL, isNew: boolean, isTyping = false): Promise<void> {
    const turn = ++this.turn;
    let page: Document;
    try {
      const answer = await fetch(url, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      page = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      if (!isTyping) location.assign(url);
      return;
    }
    if (turn !== this.turn) return;
    if (isNew) history.pushState(null, "", url);
    if (isTyping) history.replaceState(null, "", url);
    const opened = this.root.querySelector<HTMLDetailsElement>(".home-offers")?.open ?? false;
    const scrolled = [...this.root.querySelectorAll(".chips-scroll")].map((chips) => chips.scrollLeft);
    for (const name of isTyping ? ["answer", "title"] : ["answer", "search", "title"]) {
      const fresh = page.querySelector(`[data-part="${name}"]`);
      if (fresh) this.part(name).replaceWith(document.adoptNode(fresh));
    }
    this.root.querySelectorAll(".chips-scroll").forEach((chips, at) => {
      chips.scrollLeft = scrolled[at] ?? 0;
    });
    const offers = this.root.querySelector<HTMLDetailsElement>(".home-offers");
    if (offers) offers.open ||= opened;
    this.filters = filtersOf(url.search);
    this.map?.filter(this.filters, this.idsForText());
    if (this.position || (this.way && this.way.length > 1)) await this.sort();
    else if (this.filters.text) this.map?.frameAll();
  }

  private async sort(): Promise<void> {
    if (this.way && this.way.length > 1) {
      await this.sortAlong(this.way);
      return;
    }
    const { position, filters } = this;
    if (!position) return;
    const turn = ++this.turn;
    try {
      const ask = filters.text ? search : nearest;
      const base = filters.text ? (this.root.dataset.search ?? "/api/places/search") : this.nearestUrl;
      const { places, total, savedAt: saved } = await ask(base, position.lon, position.lat, filters);
      if (turn !== this.turn) return;
      this.list(places, filters.text ? total : places.length);
      if (saved !== null) this.part("position").textContent = savedAt(this.words, saved);
      else if (filters.text) this.tell("best_first");
      else this.tell(position.from === "device" ? "located" : "picked");
      this.map?.filter(filters, this.idsForText());
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

  private fill(places: NearPlace[]): void {
    const template = document.querySelector<HTMLTemplateElement>("#place-entry");
    if (!template) return;
    this.part("list").replaceChildren(...places.map((place) => rowOf(template, this.words, place)));
    this.root.querySelector('[data-part="empty"]')?.toggleAttribute("hidden", places.length > 0);
    this.part("pager").hidden = true;
  }

  private list(places: NearPlace[], total: number): void {
    this.fill(places);
    const { text } = this.filters;
    if (text && total === places.length) return; // the server has said how many
    const name = !places.length ? "none_near" : text ? "best_of" : "nearest_count";
    this.part("number").textContent = say(this.words, name, { n: places.length, total });
  }
}

for (const root of document.querySelectorAll<HTMLElement>("[data-home]")) new HomePage(root);
