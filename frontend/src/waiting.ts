/** What waits behind the entries of the desk's navigation: asked for when the page stands, so that no page waits for it. */

const KEPT = "waiting";

type Waiting = Record<string, string>;

function kept(): Waiting {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}") as Waiting;
  } catch {
    return {};
  }
}

function write(waiting: Waiting): void {
  for (const mark of document.querySelectorAll<HTMLElement>("[data-waiting]")) {
    const number = waiting[mark.closest("a")?.getAttribute("href") ?? ""] ?? "";
    mark.hidden = !number;
    if (mark.lastElementChild) mark.lastElementChild.textContent = number;
  }
}

/** Write the numbers of the page before at once, lest they flicker, and then those of now. */
export async function tellWhatWaits(): Promise<void> {
  write(kept());
  const answer = await fetch("/desk/waiting/", { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected) throw new Error(`answered ${answer.status}`);
  const waiting = (await answer.json()) as Waiting;
  write(waiting);
  sessionStorage.setItem(KEPT, JSON.stringify(waiting));
}
