/** Verifying on the spot: the device says where it is, the page shows how far that is from the place. */
import { metresBetween } from "../home/metres";
import { say, wordsFrom } from "../words";

const LONGEST_WAIT_MS = 20_000;

function start(form: HTMLFormElement): void {
  const words = wordsFrom("verify-words");
  const points = JSON.parse(document.getElementById("verify-points")?.textContent ?? "[]") as [
    number,
    number,
  ][];
  const told = form.querySelector<HTMLElement>('[data-part="where"]');
  const button = form.querySelector<HTMLButtonElement>('[data-part="locate"]');
  if (!told || !button || !("geolocation" in navigator)) return;

  const enter = (name: string, value: number): void => {
    const field = form.elements.namedItem(name);
    if (field instanceof HTMLInputElement) field.value = String(value);
  };
  const found = ({ coords }: GeolocationPosition): void => {
    enter("lon", coords.longitude);
    enter("lat", coords.latitude);
    enter("accuracy_m", Math.round(coords.accuracy));
    const metres = points.map(([lon, lat]) => metresBetween(lon, lat, coords.longitude, coords.latitude));
    told.textContent = say(words, "apart", {
      n: Math.round(Math.min(...metres)),
      m: Math.round(coords.accuracy),
    });
    button.disabled = false;
  };
  const refused = (): void => {
    told.textContent = say(words, "refused");
    button.disabled = false;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    button.disabled = true;
    told.textContent = say(words, "asking");
    navigator.geolocation.getCurrentPosition(found, refused, {
      enableHighAccuracy: true,
      timeout: LONGEST_WAIT_MS,
      maximumAge: 0,
    });
  });
}

const form = document.querySelector<HTMLFormElement>("form[data-verify]");
if (form) start(form);
