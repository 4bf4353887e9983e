/**
 * A stream of live events for a page that can also do without: it says whether it stands, and the page asks by itself
 * while it does not. The server says something at least every 15 seconds, so a network that swallows all is noticed.
 */

const SILENT_MS = 40_000;
const AGAIN_MS = 5_000;

export type Told = Record<string, unknown>;

export interface Listening {
  /** Called with each event but `hello` and `keep`. */
  hear: (name: string, told: Told) => void;
  /** Called when the stream stands (again): what was missed is to be made up for. */
  stands: () => void;
}

const NAMES = ["call", "position", "changed"];

/** One stream, opened anew as long as the page is looked at. */
export class Stream {
  private source: EventSource | null = null;
  private watch = 0;
  private again = 0;
  private open = false;

  constructor(
    private address: string,
    private readonly listening: Listening,
  ) {
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.begin()));
    this.begin();
  }

  /** Whether what changes is heard now, so that nobody need ask. */
  get stand(): boolean {
    return this.open;
  }

  /** The address of the next opening: each holds for an hour. */
  renew(address: string): void {
    this.address = address;
  }

  private begin(): void {
    if (this.source || document.hidden) return;
    clearTimeout(this.again);
    const source = new EventSource(this.address);
    this.source = source;
    const alive = (): void => {
      clearTimeout(this.watch);
      this.watch = window.setTimeout(() => this.later(), SILENT_MS);
    };
    source.addEventListener("hello", () => {
      this.open = true;
      alive();
      this.listening.stands();
    });
    source.addEventListener("keep", alive);
    for (const name of NAMES)
      source.addEventListener(name, (event) => {
        alive();
        this.listening.hear(name, JSON.parse((event as MessageEvent<string>).data) as Told);
      });
    source.addEventListener("error", () => {
      this.open = false;
      // Refused, or in front of it all something else than a stream: the browser does not try again by itself.
      if (source.readyState === EventSource.CLOSED) this.later();
    });
    alive();
  }

  private close(): void {
    clearTimeout(this.watch);
    this.source?.close();
    this.source = null;
    this.open = false;
  }

  private later(): void {
    this.close();
    clearTimeout(this.again);
    this.again = window.setTimeout(() => this.begin(), AGAIN_MS);
  }
}
