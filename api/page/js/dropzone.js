// Files that come in: dropped anywhere on the page, pasted, or chosen.

import { el, freshId } from "./dom.js";

/** What a file dialog offers; HEIC and MPEG are not part of image/* and video/* everywhere. */
export const MEDIA_TYPES = "image/*,video/*,.heic,.heif,.mkv,.mpg,.mpeg,.avi,.ts,.m4v";

/**
 * Take files that are dropped on the window or pasted until the signal aborts.
 *
 * take(files); hint: shown while something is dragged over the page.
 */
export function takeFiles(take, { hint, signal }) {
  const curtain = el("div", { class: "curtain", hidden: true }, el("p", {}, hint));
  document.body.append(curtain);
  signal.addEventListener("abort", () => curtain.remove());
  const show = (shown) => {
    curtain.hidden = !shown;
  };
  const on = (event, listener) => addEventListener(event, listener, { signal });
  on("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    show(true);
  });
  on("dragleave", (event) => event.relatedTarget === null && show(false));
  on("drop", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    show(false);
    if (event.dataTransfer.files.length && !document.querySelector("dialog[open]")) take([...event.dataTransfer.files]);
  });
  on("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    take(files);
  });
}

/** Return a button that lets one choose files. */
export function chooser(words, take, { kind = "button primary", multiple = true, accept = MEDIA_TYPES, icon } = {}) {
  const id = freshId("files");
  const input = el("input", {
    id, type: "file", class: "file-input", multiple, accept,
    on: {
      change: () => {
        const files = [...input.files];
        input.value = "";
        if (files.length) take(files);
      },
    },
  });
  // The field itself has the focus and the name; its label is what is seen.
  return el("span", { class: "chooser" }, input, el("label", { for: id, class: kind }, icon, words));
}
