/** Words of an island: the page's template holds them as JSON, in the reader's language; `{name}` is filled in. */
export type Words = Record<string, string>;

/** Read the words from `<script type="application/json" id="…">`. */
export function wordsFrom(id: string): Words {
  return JSON.parse(document.getElementById(id)?.textContent ?? "{}") as Words;
}

/** A sentence with its gaps filled. A sentence that the template forgot shows as its own name. */
export function say(words: Words, name: string, gaps: Record<string, string | number> = {}): string {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (_, gap: string) => String(gaps[gap] ?? ""));
}

const DISTANCE = new Intl.NumberFormat("zh-CN", { maximumFractionDigits: 1 });

/** "180 米", "1.4 公里": metres below one kilometre, rounded to ten. */
export function distance(words: Words, metres: number): string {
  const tens = Math.max(10, Math.round(metres / 10) * 10);
  if (tens < 1000) return say(words, "metres", { n: tens });
  return say(words, "kilometres", { n: DISTANCE.format(metres / 1000) });
}

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** The time of day in Shanghai. */
export function clock(at: string | Date): string {
  return CLOCK.format(typeof at === "string" ? new Date(at) : at);
}

const DATE = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai", dateStyle: "short" });

/** "Saved at 14:05", with the day when it is another; epoch seconds. */
export function savedAt(words: Words, at: number, now = new Date()): string {
  const then = new Date(at * 1000);
  const day = DATE.format(then);
  const time = clock(then).slice(0, 5);
  if (day === DATE.format(now)) return say(words, "saved_today", { time });
  const [, month = 0, date = 0] = day.split("-").map(Number);
  return say(words, "saved_on", { time, month, day: date });
}
