/** What the page holds of a played-back day, and where its vehicles are at a moment. */
export type Point = [lon: number, lat: number, second: number];

export interface Encounter {
  vehicle: number;
  /** Place in `stations`; -1 where it is not among those that are drawn. */
  station: number;
  place: string;
  /** Second of the day in Shanghai. */
  at: number;
  distance: number;
  outcome: string;
  said: string;
  why: string;
}

export interface Day {
  day: string;
  vehicles: { name: string; way: Point[] }[];
  stations: { name: string; lon: number; lat: number; radius: number }[];
  encounters: Encounter[];
}

const SILENCE_S = 300; // a vehicle that says nothing for longer is not drawn between

/** First and last second of the day of which anything is known. */
export function spanOf(day: Day): [number, number] {
  const ways = day.vehicles.filter((each) => each.way.length > 0);
  if (ways.length === 0) return [0, 0];
  return [
    Math.min(...ways.map((each) => each.way[0]?.[2] ?? 0)),
    Math.max(...ways.map((each) => each.way.at(-1)?.[2] ?? 0)),
  ];
}

/** Where a vehicle is at a second: between two positions on the straight way; null where nobody knows. */
export function positionAt(way: Point[], second: number): [number, number] | null {
  let [low, high] = [0, way.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((way[middle]?.[2] ?? 0) <= second) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [way[low - 1], way[low]];
  if (!before) return null;
  if (!after) return before[2] === second ? [before[0], before[1]] : null;
  if (after[2] - before[2] > SILENCE_S) return null;
  const share = (second - before[2]) / (after[2] - before[2]);
  return [before[0] + (after[0] - before[0]) * share, before[1] + (after[1] - before[1]) * share];
}

/** Each vehicle that is known at a second, with its number. */
export function secondsOf(day: Day, second: number): { vehicle: number; at: [number, number] }[] {
  const found: { vehicle: number; at: [number, number] }[] = [];
  day.vehicles.forEach((each, vehicle) => {
    const at = positionAt(each.way, second);
    if (at) found.push({ vehicle, at });
  });
  return found;
}

/** "11:05:30". */
export function timeOfDay(second: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  return `${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`;
}

/** The list as a spreadsheet opens it: no positions, and nothing that a spreadsheet would take for a formula. */
export function csvOf(day: Day, heads: string[]): string {
  const cell = (value: string | number) => {
    const text = String(value);
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return `"${safe.replaceAll('"', '""')}"`;
  };
  const rows = day.encounters.map((each) =>
    [
      each.place,
      timeOfDay(each.at),
      day.vehicles[each.vehicle]?.name ?? "",
      each.distance,
      each.said,
      each.why,
    ].map(cell),
  );
  return `\uFEFF${[heads.map(cell), ...rows].map((row) => row.join(",")).join("\r\n")}\r\n`;
}
