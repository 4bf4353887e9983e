/** htmx for pages that change in part. Nothing is evaluated and no style is injected, so that the CSP holds. */
import htmx from "htmx.org";

Object.assign(htmx.config, {
  allowEval: false,
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  historyCacheSize: 0, // pages of the desk stay out of the browser's local storage
});

document.body.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector<HTMLInputElement>("input[name=csrfmiddlewaretoken]")?.value;
  if (token) (event as CustomEvent).detail.headers["X-CSRFToken"] = token;
});
