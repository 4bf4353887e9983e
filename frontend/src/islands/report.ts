/** Reporting with one tap: each page view has a request id of its own, and a second tap sends nothing. */

function begin(form: HTMLFormElement): void {
  delete form.dataset.sent;
  const id = form.elements.namedItem("request_id");
  // A page from a copy or from the browser's history must not repeat the id of an earlier report.
  if (id instanceof HTMLInputElement && typeof crypto.randomUUID === "function")
    id.value = crypto.randomUUID();
}

const forms = document.querySelectorAll<HTMLFormElement>("form[data-once]");

for (const form of forms) {
  begin(form);
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}

window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of forms) begin(form);
});
