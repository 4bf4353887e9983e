/** What every page needs: dialogs, messages that close, focus on errors, the service worker. */
import "../styles/index.css";

/** Buttons of `confirm` and the drawer open their dialog as a popover without script; with script they are modal. */
function upgradeDialogs(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-dialog]")) {
    const dialog = document.getElementById(button.dataset.dialog ?? "");
    if (!(dialog instanceof HTMLDialogElement)) continue;
    dialog.removeAttribute("popover");
    button.removeAttribute("popovertarget");
    button.addEventListener("click", () => dialog.showModal());
    for (const close of dialog.querySelectorAll<HTMLButtonElement>("[data-close]")) {
      close.removeAttribute("popovertarget");
      close.addEventListener("click", () => dialog.close());
    }
    // A tap beside the dialog closes it, as the popover did.
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
  }
}

function letMessagesClose(): void {
  for (const close of document.querySelectorAll<HTMLButtonElement>("[data-toast-close]")) {
    close.hidden = false;
    close.addEventListener("click", () => close.closest("[data-toast]")?.remove());
  }
}

upgradeDialogs(document);
letMessagesClose();
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.target instanceof Element) upgradeDialogs(event.target);
});
document.querySelector<HTMLElement>("[data-focus]:not([data-example] *)")?.focus();

// Which offline page the service worker shows: it sees no cookies.
if ("caches" in globalThis) {
  caches
    .open("yizhan-places")
    .then((memory) => memory.put("/offline/language", new Response(document.documentElement.lang)))
    .catch(() => undefined);
}

const reports = document.querySelector<HTMLElement>("[data-waiting-reports]");
if (reports && "indexedDB" in globalThis) {
  import("../reports/notice")
    .then(({ tellOfReports }) => tellOfReports(reports))
    .catch((reason: unknown) => console.info("No waiting reports:", reason));
}

if (document.querySelector("[data-waiting]")) {
  import("../waiting")
    .then(({ tellWhatWaits }) => tellWhatWaits())
    .catch((reason: unknown) => console.info("Nothing known of what waits:", reason));
}

// Names that a phone took along on visits go when their reader signs out; visits that still wait to be sent stay.
for (const form of document.querySelectorAll<HTMLFormElement>('form[action$="/accounts/logout/"]')) {
  form.addEventListener("submit", (event) => {
    if (!("indexedDB" in globalThis)) return;
    event.preventDefault();
    import("../visits/store")
      .then(({ forgetKit }) => forgetKit())
      .catch(() => undefined)
      .finally(() => form.submit());
  });
}

if ("serviceWorker" in navigator) {
  window.addEventListener("load", () => {
    navigator.serviceWorker.register("/service-worker.js", { scope: "/" }).catch((reason: unknown) => {
      console.info("No offline copy:", reason);
    });
  });
}
