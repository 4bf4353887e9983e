/** The split of a price: shows the sum while amounts are typed, in whole fen, as the server will work it out. */
import { say, wordsFrom } from "../words";

const fen = (text: string): number => Math.round(Number(text) * 100);
const yuan = (value: number): string => (Math.abs(value) / 100).toFixed(2);

function start(form: HTMLFormElement): void {
  const words = wordsFrom("split-words");
  const told = form.querySelector<HTMLElement>('[data-part="sum"]');
  const price = form.elements.namedItem("list_price");
  if (!told || !(price instanceof HTMLInputElement)) return;

  const show = (): void => {
    const amounts: string[] = [];
    for (const line of form.querySelectorAll<HTMLElement>('[data-part="line"]')) {
      const party = line.querySelector("select");
      const amount = line.querySelector<HTMLInputElement>('input[type="number"]');
      if (party?.value && amount) amounts.push(amount.value);
    }
    const whole = fen(price.value);
    const left = whole - amounts.reduce((sum, amount) => sum + fen(amount), 0);
    const open = amounts.filter((amount) => amount === "").length;
    let state = "fits";
    if (!(whole > 0)) state = "price";
    else if (open !== 1) state = "none";
    else if (left < 0) state = "over";
    told.textContent = say(words, state, { price: yuan(whole), left: yuan(left) });
    told.className = state === "fits" ? "note note-good" : state === "over" ? "note note-bad" : "note";
  };
  form.addEventListener("input", show);
  show();
}

for (const form of document.querySelectorAll<HTMLFormElement>('form[data-island="split"]')) start(form);
