/**
 * Which station a phone's owner is reminded of: the rule of `yizhan.geo.passage` for one vehicle, in the browser, so that the
 * position stays on the phone. The same vectors (tests/passage/vectors) hold both to the same reminders, bit for bit: only
 * + - * / and square roots, in the kernel's order. Cosines come from the server, since each machine has its own.
 */
export interface Ping {
  /** Milliseconds since 1970 (UTC). */
  time: number;
  /** WGS-84 degrees. */
  lon: number;
  lat: number;
  /** Metres; NaN where nobody said. */
  accuracy: number;
  /** The services that the owner asks for, by their place in the table; none: any station. */
  asked?: readonly number[];
}

/** The rules of one union. Times in milliseconds, speeds in metres a second. */
export interface Rule {
  cool_down_ms: number;
  gap_ms: number;
  max_segment_gap_ms: number;
  max_speed_mps: number;
  still_open_s: number;
  /** Null: never silent. */
  silent_above_mps: number | null;
  /** After midnight UTC; past midnight where the second is the smaller. */
  quiet_from_ms: number;
  quiet_until_ms: number;
}

export interface Station {
  id: string;
  lon: number;
  lat: number;
  /** Cosine and sine of the latitude, as the server computed them. */
  cosine: number;
  sine: number;
  radius_m: number;
  /** Place in the table of rules, and in the table of hours. */
  rule: number;
  hours: number;
  /** Services, by their place in the table. */
  offers: readonly number[];
}

/** Stations in the order that decides between two at the same distance. */
export interface Around {
  rules: readonly Rule[];
  /** Ascending half-open intervals [start, end) of UTC epoch seconds. */
  hours: readonly (readonly (readonly [start: number, end: number])[])[];
  stations: readonly Station[];
}

export interface Reminder {
  station: string;
  /** Moment and distance (metres) of the closest approach. */
  time: number;
  distance: number;
}

/** What of a reminder holds back others: no position. */
export type Told = Pick<Reminder, "station" | "time">;

const RADIANS = Math.PI / 180;
const EARTH_RADIUS_M = 6_371_008.8;
const TIME_LIMIT_MS = 2 ** 52;
const DAY_MS = 86_400_000;

export class PassingRule {
  private last: Ping | null = null;

  constructor(
    private around: Around,
    private told: Told[] = [],
  ) {}

  /** Judge by other stations from now on. */
  replace(around: Around): void {
    this.around = around;
  }

  /** The reminders that may still hold back others. */
  remembered(): Told[] {
    const newest = Math.max(...this.told.map((each) => each.time));
    const longest = this.longestMemory();
    const path = Math.max(0, ...this.around.rules.map((rule) => rule.max_segment_gap_ms));
    this.told = this.told.filter((each) => each.time > newest - 2 * longest - path);
    return this.told.map(({ station, time }) => ({ station, time }));
  }

  /** Judge one position. */
  feed(ping: Ping, latest = TIME_LIMIT_MS): Reminder | null {
    if (!isEvidence(ping, latest)) return null;
    let earlier: Ping | null = null;
    if (this.around.rules.some((rule) => rule.max_segment_gap_ms > 0)) {
      earlier = this.last;
      if (earlier && ping.time === earlier.time) return null;
      if (!earlier || ping.time > earlier.time) this.last = ping;
      else earlier = null;
    }
    if (this.told.length > 0) {
      const newest = Math.max(...this.told.map((each) => each.time));
      if (ping.time <= newest - this.longestMemory()) return null;
    }
    let best: (Reminder & { square: number }) | null = null;
    for (const station of this.around.stations) {
      const rule = this.around.rules[station.rule];
      if (!rule) continue;
      const found = approach(station, rule, earlier, ping);
      if (!found || (best && found.square >= best.square)) continue;
      if (!this.mayBeNamed(station, rule, found.time, ping.asked ?? [])) continue;
      best = {
        station: station.id,
        time: found.time,
        distance: Math.sqrt(found.square),
        square: found.square,
      };
    }
    if (!best) return null;
    const { station, time, distance } = best;
    this.told.push({ station, time });
    return { station, time, distance };
  }

  private longestMemory(): number {
    return Math.max(0, ...this.around.rules.map((rule) => Math.max(rule.cool_down_ms, rule.gap_ms)));
  }

  private mayBeNamed(station: Station, rule: Rule, moment: number, asked: readonly number[]): boolean {
    if (asked.some((service) => !station.offers.includes(service))) return false;
    if (isQuiet(moment, rule)) return false;
    for (const each of this.told) {
      const apart = Math.abs(moment - each.time);
      if (apart < rule.gap_ms || (each.station === station.id && apart < rule.cool_down_ms)) return false;
    }
    return staysOpen(this.around.hours[station.hours] ?? [], Math.floor(moment / 1000), rule.still_open_s);
  }
}

function isEvidence(ping: Ping, latest: number): boolean {
  return (
    Math.abs(ping.lon) <= 180 &&
    Math.abs(ping.lat) <= 90 &&
    (ping.lon !== 0 || ping.lat !== 0) &&
    !(ping.accuracy < 0) &&
    Math.abs(ping.time) < TIME_LIMIT_MS &&
    ping.time <= latest
  );
}

/** Metres east and north of a station; the scale of longitude is the cosine of the middle latitude. */
function plane(station: Station, lon: number, lat: number): [number, number] {
  const north = (lat - station.lat) * RADIANS;
  const middle = north * 0.5;
  const cosine = station.cosine - station.sine * middle - station.cosine * middle * middle * 0.5;
  const east = (lon - station.lon) * RADIANS;
  return [east * cosine * EARTH_RADIUS_M, north * EARTH_RADIUS_M];
}

/** Closest approach: squared metres and the moment; null where it is no evidence of a passage. */
function approach(
  station: Station,
  rule: Rule,
  earlier: Ping | null,
  ping: Ping,
): { square: number; time: number } | null {
  const radius = station.radius_m;
  if (ping.accuracy > radius) return null;
  const [x1, y1] = plane(station, ping.lon, ping.lat);
  let square = x1 * x1 + y1 * y1;
  let time = ping.time;
  if (earlier && !(earlier.accuracy > radius)) {
    const lasted = ping.time - earlier.time;
    if (lasted <= rule.max_segment_gap_ms) {
      const [x0, y0] = plane(station, earlier.lon, earlier.lat);
      const [dx, dy] = [x1 - x0, y1 - y0];
      const length = dx * dx + dy * dy;
      const limit = (rule.max_speed_mps * lasted) / 1000;
      if (length > 0 && length <= limit * limit) {
        if (rule.silent_above_mps !== null) {
          const calm = (rule.silent_above_mps * lasted) / 1000;
          if (length > calm * calm) return null;
        }
        let share = -(x0 * dx + y0 * dy) / length;
        if (share < 1) {
          share = Math.max(share, 0);
          const [x, y] = [x0 + share * dx, y0 + share * dy];
          square = x * x + y * y;
          time = earlier.time + Math.floor(share * lasted + 0.5);
        }
      }
    }
  }
  return square <= radius * radius ? { square, time } : null;
}

function isQuiet(moment: number, rule: Rule): boolean {
  const into = ((moment % DAY_MS) + DAY_MS) % DAY_MS;
  const { quiet_from_ms: from, quiet_until_ms: until } = rule;
  return from <= until ? from <= into && into < until : into >= from || into < until;
}

function staysOpen(
  intervals: readonly (readonly [number, number])[],
  second: number,
  stillOpen: number,
): boolean {
  const need = Math.max(1, Math.ceil(stillOpen));
  let [low, high] = [0, intervals.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((intervals[middle]?.[0] ?? 0) <= second) low = middle + 1;
    else high = middle;
  }
  const found = intervals[low - 1];
  return found !== undefined && found[1] - second >= need;
}
