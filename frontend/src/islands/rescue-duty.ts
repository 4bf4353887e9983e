/**
 * The rescuer's page: the position is told while on duty and this page is open, offers come by themselves and say how
 * many seconds are left, and each step carries where it was taken.
 */
import { follow, loadAnew, position } from "../rescue/follow";
import { clock, say, wordsFrom } from "../words";

const EVERY_MS = 5_000;
const words = wordsFrom("rescue-words");
const root = document.querySelector<HTMLElement>("[data-duty]");
const told = root?.querySelector<HTMLElement>("[data-part=position]") ?? null;

function tell(text: string): void {
  if (told) told.textContent = text;
}

async function sendPosition(coords: GeolocationCoordinates): Promise<void> {
  try {
    const position = { lon: coords.longitude, lat: coords.latitude };
    const headers = {
      "Content-Type": "application/json",
      Authorization: `Bearer ${root?.dataset.token ?? ""}`,
    };
    const answer = await fetch("/api/live/rescue/position", {
      method: "POST",
      credentials: "omit",
      headers,
      body: JSON.stringify(position),
    });
    if (answer.status === 401) loadAnew(); // the page is older than an hour
    if (!answer.ok) throw new Error(String(answer.status));
    const { on_duty } = (await answer.json()) as { on_duty: boolean };
    if (on_duty) tell(say(words, "sent", { time: clock(new Date()) }));
    else loadAnew(); // another phone, or the desk, ended the turn
  } catch {
    tell(say(words, "lost"));
  }
}

/** Tell the position while on duty, every few seconds at most. */
function tellPosition(): void {
  let newest: GeolocationCoordinates | null = null;
  navigator.geolocation?.watchPosition(
    ({ coords }) => {
      const first = newest === null;
      newest = coords;
      if (first) void sendPosition(coords);
    },
    () => tell(say(words, "unknown")),
    { enableHighAccuracy: true, maximumAge: 2_000 },
  );
  setInterval(() => {
    if (newest) void sendPosition(newest);
  }, EVERY_MS);
}

function fill(form: HTMLFormElement, coords: GeolocationCoordinates): void {
  for (const input of form.querySelectorAll<HTMLInputElement>("input[type=hidden]")) {
    if (/(^|-)lon$/.test(input.name)) input.value = coords.longitude.toFixed(6);
    if (/(^|-)lat$/.test(input.name)) input.value = coords.latitude.toFixed(6);
  }
}

/** A form is sent with the position of this moment; without one it is sent all the same, and the server decides. */
function withPosition(form: HTMLFormElement): void {
  form.addEventListener("submit", (event) => {
    if (form.dataset.ready) return;
    event.preventDefault();
    form.dataset.ready = "yes";
    void position(6_000).then((coords) => {
      if (coords) fill(form, coords);
      form.submit();
    });
  });
}

function countDown(): void {
  for (const offer of document.querySelectorAll<HTMLElement>("[data-left]")) {
    const left = Math.max(0, Number(offer.dataset.left) - 1);
    offer.dataset.left = String(left);
    const shown = offer.querySelector("[data-part=seconds]");
    if (shown) shown.textContent = say(words, "seconds", { n: left });
  }
}

if (root) {
  const on = root.querySelector<HTMLFormElement>("form[data-part=on]");
  if (on && root.dataset.kind === "mobile") withPosition(on);
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-with-position]")) withPosition(form);
  if (root.dataset.duty === "on" && root.dataset.kind === "mobile") tellPosition();
  setInterval(countDown, 1_000);
  if (root.querySelector("[data-left]")) navigator.vibrate?.([300, 150, 300]);
  follow(root, {
    network: (there) => {
      if (!there) tell(say(words, "lost"));
    },
  });
}
