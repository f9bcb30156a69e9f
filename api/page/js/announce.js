// Short messages: shown for a while, and read out by screen readers.

import { el } from "./dom.js";
import { isAborted } from "./api.js";
import { inOneLine } from "./problems.js";

const SHOWN_MS = 7000;

/** Say something that went well, or goes on. */
export function announce(text) {
  show("status", text);
}

/** Say that something failed; what is no longer wanted is passed over. */
export function announceFailure(error) {
  if (isAborted(error)) return;
  if (error?.code === undefined) {
    console.error(error);
  }
  show("alerts", error?.code === undefined ? `The page failed: ${error}` : inOneLine(error));
}

function show(place, text) {
  const region = document.getElementById(place);
  const message = el("p", { class: "toast" }, text);
  region.replaceChildren(message);
  setTimeout(() => message.remove(), SHOWN_MS);
}
