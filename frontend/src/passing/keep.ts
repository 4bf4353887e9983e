/** What the phone keeps of passing reminders: the switch, the services asked for, and which stations it told of. No position. */
import type { Told } from "./rule";

export interface Shown {
  id: string;
  name: string;
  /** Milliseconds since 1970. */
  time: number;
  metres: number;
  /** Epoch seconds; null: it never closes. */
  until: number | null;
}

interface Kept {
  on: boolean;
  services: string[];
  told: Told[];
  shown: Shown[];
}

const NAME = "yizhan-passing";
const MOST_SHOWN = 30;
const SHOWN_FOR_MS = 24 * 3600 * 1000;

export function kept(): Kept {
  try {
    const found = JSON.parse(localStorage.getItem(NAME) ?? "{}") as Partial<Kept>;
    return {
      on: found.on === true,
      services: Array.isArray(found.services) ? found.services : [],
      told: Array.isArray(found.told) ? found.told : [],
      shown: Array.isArray(found.shown) ? found.shown : [],
    };
  } catch {
    return { on: false, services: [], told: [], shown: [] };
  }
}

export function keep(changes: Partial<Kept>): void {
  try {
    localStorage.setItem(NAME, JSON.stringify({ ...kept(), ...changes }));
  } catch (reason) {
    console.info("Nothing is kept on this phone:", reason);
  }
}

/** Today's reminders with one more, the latest first. */
export function withShown(shown: Shown[], one: Shown): Shown[] {
  return [one, ...shown.filter((each) => each.time > one.time - SHOWN_FOR_MS)].slice(0, MOST_SHOWN);
}
