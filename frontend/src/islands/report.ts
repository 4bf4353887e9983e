/**
 * Reporting with one tap: each page view has a request id of its own, and a second tap sends nothing. Without a network
 * the report waits on the phone (`reports/queue.ts`); without script the form is sent as forms are.
 */
import { tellOfReports } from "../reports/notice";
import { askToBeWoken, forgetReport, keepReport, send, type Waiting } from "../reports/queue";

function requestIdOf(form: HTMLFormElement): HTMLInputElement | null {
  const id = form.elements.namedItem("request_id");
  return id instanceof HTMLInputElement ? id : null;
}

function begin(form: HTMLFormElement): void {
  delete form.dataset.sent;
  const id = requestIdOf(form);
  // A page from a copy or from the browser's history must not repeat the id of an earlier report.
  if (id && typeof crypto.randomUUID === "function") id.value = crypto.randomUUID();
}

/** What the form says; null when it is not ours to send. */
function reportOf(form: HTMLFormElement, button: HTMLButtonElement | null): Waiting | null {
  const told = new FormData(form);
  const kind = button?.name === "kind" ? button.value : String(told.get("kind") ?? "");
  const { report: place, name } = form.dataset;
  const id = requestIdOf(form)?.value || crypto.randomUUID?.();
  const photo = told.get("photo");
  if (!id || !kind) return null;
  const chosen = place || String(told.get("place") ?? "");
  if (!chosen) return null;
  return {
    id,
    place: chosen,
    name: name || form.querySelector<HTMLOptionElement>("option:checked")?.textContent?.trim() || "",
    kind,
    words: String(told.get("words") ?? "").trim(),
    photo: photo instanceof File && photo.size > 0 ? photo : null,
    at: Date.now(),
  };
}

/** As the browser would have sent it: the server then says at its field what is wrong. */
function sendAsForm(form: HTMLFormElement, report: Waiting): void {
  if (form.querySelector("input[type=radio][name=kind]") === null) {
    const kind = document.createElement("input");
    kind.type = "hidden";
    kind.name = "kind";
    kind.value = report.kind;
    form.append(kind);
  }
  form.submit();
}

async function file(form: HTMLFormElement, report: Waiting): Promise<void> {
  const onPaper = form.method === "post"; // the offline page's form has nowhere to go
  try {
    await keepReport(report);
  } catch {
    if (onPaper) sendAsForm(form, report);
    return;
  }
  const now = await send(report);
  if (now.outcome === "refused" && onPaper) {
    await forgetReport(now.id);
    sendAsForm(form, report);
  } else if (now.outcome === "sent") {
    await forgetReport(now.id);
    location.assign(`/r/${now.token}/`);
  } else {
    await askToBeWoken();
    const root = document.querySelector<HTMLElement>("[data-waiting-reports]");
    if (root) {
      await tellOfReports(root);
      root.scrollIntoView({ block: "center" });
    }
    form.reset();
    begin(form);
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-once], form[data-report]")) {
  begin(form);
  let tapped: HTMLButtonElement | null = null; // older browsers do not say who sent the form
  form.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (button) tapped = button;
  });
  form.addEventListener("submit", (event) => {
    const again = Boolean(form.dataset.sent);
    form.dataset.sent = "yes";
    if (again) event.preventDefault();
    if (again || form.dataset.report === undefined) return;
    const report = reportOf(form, (event.submitter as HTMLButtonElement | null) ?? tapped);
    if (!report) {
      delete form.dataset.sent;
      return;
    }
    event.preventDefault();
    void file(form, report);
  });
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    for (const form of document.querySelectorAll<HTMLFormElement>("form[data-once], form[data-report]"))
      begin(form);
  }
});
