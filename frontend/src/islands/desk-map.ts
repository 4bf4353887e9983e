/** The desk's places on a map, by status; the list beside it holds the same. */
import { wordsFrom } from "../words";

interface DeskPlace {
  name: string;
  status: string;
  /** The status in the reader's language. */
  words: string;
  lon: number;
  lat: number;
  url: string;
}

// Form and words say the status; colour repeats it.
const COLOUR = [
  "match",
  ["get", "status"],
  "published",
  "#0b6247",
  "suspended",
  "#8a5a00",
  "closed",
  "#fff",
  "#1b5089",
];
const EDGE = ["match", ["get", "status"], "closed", "#5b6672", "#fff"];

async function draw(root: HTMLElement, container: HTMLElement): Promise<void> {
  const [{ boundsOf, canDrawMaps, createBaseMap, wordsOfTheMap }, marks] = await Promise.all([
    import("../map/base"),
    import("../map/marks"),
  ]);
  if (!canDrawMaps()) throw new Error("no WebGL");
  const places = JSON.parse(document.getElementById("desk-places")?.textContent ?? "[]") as DeskPlace[];
  const map = await createBaseMap({
    container,
    tiandituKey: root.dataset.tianditu,
    reviewNumber: root.dataset.reviewNumber,
    bounds: boundsOf(places.map(({ lon, lat }) => [lon, lat])),
    words: wordsOfTheMap(wordsFrom("desk-map-words")),
  });
  marks.addPlaces(map, "desk", {
    data: {
      type: "FeatureCollection",
      features: places.map((place, number) => ({
        type: "Feature",
        properties: { number, name: place.name, status: place.status, words: place.words },
        geometry: { type: "Point", coordinates: [place.lon, place.lat] },
      })),
    },
  });
  marks.addNames(map, "desk", { words: "words", minzoom: 11 });
  marks.addClusters(map, "desk", "#1b5089");
  map.addLayer({
    id: "desk-points",
    type: "circle",
    source: "desk",
    filter: marks.ALONE,
    paint: {
      "circle-radius": 9,
      "circle-color": COLOUR as never,
      "circle-stroke-color": EDGE as never,
      "circle-stroke-width": 2.5,
    },
  });
  marks.showWhatCanBeTapped(map, "desk");
  const cards = new marks.Cards(map);
  map.on("click", async (event) => {
    const place = places[Number((await marks.tapped(map, "desk", event))?.number ?? -1)];
    if (place) {
      cards.show(marks.cardOf(place.name, place.url, [{ text: place.words }]), place.lon, place.lat);
    }
  });
}

for (const root of document.querySelectorAll<HTMLElement>("[data-desk-map]")) {
  const container = root.querySelector<HTMLElement>('[data-part="map"]');
  const without = root.querySelector<HTMLElement>('[data-part="no-map"]');
  if (!container || !without) continue;
  draw(root, container).catch((reason: unknown) => {
    console.warn("No map:", reason);
    container.hidden = true;
    without.hidden = false;
  });
}
