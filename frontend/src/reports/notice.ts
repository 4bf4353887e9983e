/** Tells on any public page what became of reports that waited on this phone, and sends them when there is a network. */
import { say, type Words, wordsFrom } from "../words";
import { allReports, forgetReport, sendAll, type Waiting } from "./queue";

function line(words: Words, report: Waiting, again: () => void): HTMLElement {
  const row = document.createElement("p");
  row.className = `note ${report.outcome === "sent" ? "note-good" : "note-warn"}`;
  const said = report.outcome ?? (report.token ? "photo_waits" : "waits");
  row.textContent = say(words, said, { name: report.name });
  const forget = document.createElement("button");
  forget.type = "button";
  forget.className = "button button-small";
  forget.textContent = say(words, report.outcome ? "understood" : "discard");
  forget.addEventListener("click", () => {
    void forgetReport(report.id).then(again);
  });
  const actions = document.createElement("span");
  actions.className = "row";
  if (report.token) {
    const link = document.createElement("a");
    link.className = "button button-small";
    link.href = `/r/${report.token}/`;
    link.textContent = say(words, "follow");
    if (report.outcome)
      link.addEventListener("click", (event) => {
        event.preventDefault(); // a page that is left at once would not have forgotten it
        void forgetReport(report.id).finally(() => location.assign(link.href));
      });
    actions.append(link);
  }
  actions.append(forget);
  row.append(document.createElement("br"), actions);
  return row;
}

function show(root: HTMLElement, words: Words, reports: Waiting[]): void {
  const again = (): void => {
    void allReports().then((rest) => show(root, words, rest));
  };
  root.replaceChildren(...reports.map((report) => line(words, report, again)));
  root.hidden = reports.length === 0;
}

/** Whoever reads the receipt of a report that was sent needs no notice of it: neither here nor on the next page. */
async function withoutTheOneBeingRead(reports: Waiting[]): Promise<Waiting[]> {
  const read = reports.filter((each) => each.outcome === "sent" && location.pathname === `/r/${each.token}/`);
  for (const each of read) await forgetReport(each.id);
  return reports.filter((each) => !read.includes(each));
}

/** Show what waits here, and go on sending whenever the network comes back. */
export async function tellOfReports(root: HTMLElement): Promise<void> {
  const words = wordsFrom("report-words");
  const tell = async (reports: Waiting[]): Promise<void> => {
    show(root, words, await withoutTheOneBeingRead(reports));
  };
  await tell(await allReports());
  const again = async (): Promise<void> => tell(await sendAll());
  addEventListener("online", () => void again());
  navigator.serviceWorker?.addEventListener("message", () => void allReports().then(tell));
  if (navigator.onLine) await again();
}
