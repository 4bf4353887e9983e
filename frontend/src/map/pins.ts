/** Drawings of places on a map: what it is by a picture, whether it is open by form and colour. */
import type { Map as MapLibreMap } from "maplibre-gl";
import type { Openness } from "../home/api";

// 24 × 24 line drawings, by kind of place.
const PICTURES: Record<string, string> = {
  station: "M4 11.5 12 5l8 6.5M6.5 10v9h11v-9M10.5 19v-5h3v5",
  restaurant: "M4 11.5h16a8 8 0 0 1-16 0ZM9 5v3M12.5 4v4M16 5v3M8.5 20h7",
  repair_point:
    "M15 5a4.6 4.6 0 0 0-5.4 6.2L4.5 16.4V19.5h3.1l5.2-5.1A4.6 4.6 0 0 0 19 9l-2.8 2.8-3-.8-.8-3Z",
  driver_home:
    "M3 7h10.5v9H3zM13.5 10h3.8l3.2 3.2V16h-7M7 18.4a1.6 1.6 0 1 0 0-.1M17 18.4a1.6 1.6 0 1 0 0-.1",
  other: "M12 15.2a3.2 3.2 0 1 0 0-6.4 3.2 3.2 0 0 0 0 6.4Z",
};
const STATES: Openness[] = ["yes", "no", "unknown"];
const SIDE = 30;
const SHARP = 2; // pixels of the drawing for one on the map

/** The name of the drawing of a kind and a state. */
export function pinName(kind: string, state: string): string {
  return `pin-${kind in PICTURES ? kind : "other"}-${state}`;
}

function outline(state: Openness): Path2D {
  const path = new Path2D();
  if (state === "yes") path.arc(15, 15, 12.5, 0, 2 * Math.PI);
  else if (state === "no") path.rect(4.5, 4.5, 21, 21);
  else {
    path.moveTo(15, 1.5);
    path.lineTo(28.5, 15);
    path.lineTo(15, 28.5);
    path.lineTo(1.5, 15);
    path.closePath();
  }
  return path;
}

function draw(kind: string, state: Openness): ImageData | null {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE * SHARP;
  const pen = canvas.getContext("2d");
  if (!pen) return null;
  pen.scale(SHARP, SHARP);
  const isOpen = state === "yes";
  const form = outline(state);
  pen.fillStyle = isOpen ? "#0b6247" : state === "no" ? "#fff" : "#fdf3dc";
  pen.strokeStyle = isOpen ? "#fff" : state === "no" ? "#5b6672" : "#8a5a00";
  pen.lineWidth = 2;
  if (state === "unknown") pen.setLineDash([4, 2.5]);
  pen.fill(form);
  pen.stroke(form);
  pen.setLineDash([]);
  pen.translate(7.2, 7.2);
  pen.scale(0.65, 0.65);
  pen.strokeStyle = isOpen ? "#fff" : state === "no" ? "#5b6672" : "#8a5a00";
  pen.lineWidth = 2.6;
  pen.lineCap = pen.lineJoin = "round";
  pen.stroke(new Path2D(PICTURES[kind]));
  if (state === "no") {
    pen.lineWidth = 2.2;
    pen.stroke(new Path2D("M-1 25 25 -1"));
  }
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

/** Draw the places of a source that stand alone by their `pin` (`pinName`), those that are open above others. */
export function addPins(map: MapLibreMap, id: string): void {
  for (const kind of Object.keys(PICTURES)) {
    for (const state of STATES) {
      const drawing = draw(kind, state);
      if (drawing) map.addImage(pinName(kind, state), drawing, { pixelRatio: SHARP });
    }
  }
  map.addLayer({
    id: `${id}-points`,
    type: "symbol",
    source: id,
    filter: ["!", ["has", "point_count"]],
    layout: {
      "icon-image": ["get", "pin"],
      "icon-size": ["interpolate", ["linear"], ["zoom"], 6, 0.6, 12, 0.85, 15, 1],
      "icon-allow-overlap": true,
      "symbol-sort-key": ["match", ["get", "state"], "yes", 2, "unknown", 1, 0],
    },
  });
}
