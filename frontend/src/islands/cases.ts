/** Keys for the list of cases: J and K move, X ticks, Enter opens, / searches. The list works without them. */

const rows = [...document.querySelectorAll<HTMLTableRowElement>("tr[data-row]")];
let current = -1;

function move(to: number): void {
  if (rows.length === 0) return;
  rows[current]?.classList.remove("case-current");
  current = Math.max(0, Math.min(rows.length - 1, to));
  const row = rows[current];
  row?.classList.add("case-current");
  row?.querySelector<HTMLAnchorElement>("th a")?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input:not([type=checkbox]), select, textarea");
}

const steps: Record<string, () => void> = {
  j: () => move(current + 1),
  k: () => move(current - 1),
  x: () => rows[current]?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click(),
  "/": () => document.querySelector<HTMLInputElement>("input[name=q]")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const step = steps[event.key.toLowerCase()];
  if (!step) return;
  event.preventDefault();
  step();
});
