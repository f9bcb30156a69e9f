// Dialogs over the page: the browser keeps the focus inside and gives it back.

import { el, freshId } from "./dom.js";
import { icon } from "./icons.js";
import { isAborted } from "./api.js";
import { inOneLine } from "./problems.js";

/**
 * Open a dialog; resolves with what `close(value)` was given, undefined if it was dismissed.
 *
 * content(close): returns its children. wide: as large as the window. signal: closes it.
 */
export function openDialog(title, content, { wide = false, signal } = {}) {
  const heading = freshId("dialog");
  return new Promise((resolve) => {
    let answer;
    const close = (value) => {
      answer = value;
      dialog.close();
    };
    const dismiss = () => close();
    const dialog = el(
      "dialog",
      { class: wide ? "dialog wide" : "dialog", "aria-labelledby": heading },
      el(
        "header",
        { class: "dialog-head" },
        el("h2", { id: heading }, title),
        el("button", { type: "button", class: "icon-button", "aria-label": "Close", on: { click: dismiss } }, icon("close")),
      ),
      content(close),
    );
    // A press beside it dismisses it.
    dialog.addEventListener("pointerdown", (event) => event.target === dialog && dismiss());
    dialog.addEventListener("close", () => {
      signal?.removeEventListener("abort", dismiss);
      dialog.remove();
      resolve(answer);
    });
    signal?.addEventListener("abort", dismiss);
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Return a form that does something and says what fails: fields, buttons, a place for failures.
 *
 * act(): what to do, may throw; cancel(): its other button. danger: it cannot be undone.
 */
export function actionForm({ fields, action, act, cancel, danger = false }) {
  const failed = el("p", { class: "form-failure", role: "alert" });
  const button = el("button", { type: "submit", class: danger ? "button danger" : "button primary" }, action);
  const submit = async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    button.disabled = true;
    failed.textContent = "";
    try {
      await act();
    } catch (error) {
      if (!isAborted(error)) failed.textContent = error.code ? inOneLine(error) : String(error);
    } finally {
      button.disabled = false;
    }
  };
  return el(
    "form",
    { class: "dialog-body", on: { submit } },
    fields,
    failed,
    el(
      "div",
      { class: "row end" },
      cancel && el("button", { type: "button", class: "button", on: { click: () => cancel() } }, "Cancel"),
      button,
    ),
  );
}
