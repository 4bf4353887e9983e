/** The map for frames of other sites. */
import { say, wordsFrom } from "../words";

const words = wordsFrom("embed-words");

for (const root of document.querySelectorAll<HTMLElement>("[data-embed]")) {
  const container = root.querySelector<HTMLElement>('[data-part="map"]');
  const said = root.querySelector<HTMLElement>('[data-part="said"]');
  if (!container || !said) continue;
  import("../embed/map")
    .then(({ draw }) => draw(root, container, said))
    .catch((reason: unknown) => {
      console.warn("No map:", reason);
      container.hidden = true;
      said.textContent = say(words, "no_map");
    });
}
