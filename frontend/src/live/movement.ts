/** Where the vehicles are between two events: they glide from where they were to where they were last reported. */

export interface HelloEvent {
  version: number;
  at: string;
  running: boolean;
  bounds: [number, number, number, number] | null;
}

export interface VehiclesEvent {
  at: string;
  total?: number;
  /** `[id, longitude, latitude, …]`, WGS-84 degrees. */
  vehicles: [string, number, number, ...unknown[]][];
  gone?: string[];
}

export interface ReminderEvent {
  id: string;
  place: string;
  name: string;
  lon: number;
  lat: number;
  distance_m: number;
  vehicle: string;
  at: string;
  open_until?: string | null;
  simulated?: boolean;
}

export interface FiguresEvent {
  at: string;
  vehicles: number;
  pings: number;
  reminders: number;
  pings_per_second: number;
  speed_up: number;
}

interface Glide {
  fromLon: number;
  fromLat: number;
  toLon: number;
  toLat: number;
  began: number;
  lasts: number;
}

const LONGEST_GLIDE_MS = 2000;
const JUMP_DEGREES = 0.02; // about 2 km: a new trip, not a movement

export class Movement {
  private readonly glides = new Map<string, Glide>();
  private between = 500; // how long events lie apart, milliseconds, smoothed
  private lastEvent = 0;

  get size(): number {
    return this.glides.size;
  }

  clear(): void {
    this.glides.clear();
    this.lastEvent = 0;
  }

  /** Take one batch, at `now` milliseconds of the page's clock. */
  take(batch: VehiclesEvent, now: number): void {
    if (this.lastEvent) {
      const gap = Math.min(now - this.lastEvent, LONGEST_GLIDE_MS);
      this.between = 0.8 * this.between + 0.2 * gap;
    }
    this.lastEvent = now;
    for (const [id, lon, lat] of batch.vehicles) {
      const before = this.glides.get(id);
      const [fromLon, fromLat] = before ? this.on(before, now) : [lon, lat];
      const jumps = Math.abs(lon - fromLon) + Math.abs(lat - fromLat) > JUMP_DEGREES;
      this.glides.set(id, {
        fromLon: jumps ? lon : fromLon,
        fromLat: jumps ? lat : fromLat,
        toLon: lon,
        toLat: lat,
        began: now,
        lasts: this.between,
      });
    }
    for (const id of batch.gone ?? []) this.glides.delete(id);
  }

  /** Every vehicle's `[longitude, latitude]` at `now`. */
  at(now: number): [number, number][] {
    return Array.from(this.glides.values(), (glide) => this.on(glide, now));
  }

  private on(glide: Glide, now: number): [number, number] {
    const share = Math.min(1, (now - glide.began) / glide.lasts);
    return [
      glide.fromLon + (glide.toLon - glide.fromLon) * share,
      glide.fromLat + (glide.toLat - glide.fromLat) * share,
    ];
  }
}

/** West, south, east, north of all positions; null when there are none. */
export function boxAround(positions: [number, number][]): [number, number, number, number] | null {
  if (!positions.length) return null;
  const lons = positions.map(([lon]) => lon);
  const lats = positions.map(([, lat]) => lat);
  return [Math.min(...lons), Math.min(...lats), Math.max(...lons), Math.max(...lats)];
}
