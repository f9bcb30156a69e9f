// What is searched for: the photos with their faces, to choose another.

import { count } from "./format.js";
import { el, fill } from "./dom.js";
import { chooser } from "./dropzone.js";
import { icon } from "./icons.js";

/**
 * Return { element, show(files, photos, chosen), showStored(words, picture), showVideo(…) }.
 *
 * choose(faces): a choice for each photo was made: "largest", "all" or a number from 1.
 * add(files): more photos of the person came. clear(): another search is wanted.
 */
export function queryCard({ choose, add, clear, signal }) {
  const title = el("h2", {}, "Searching for");
  const body = el("div", { class: "query-photos" });
  const below = el("div", { class: "query-below" });
  const element = el(
    "section",
    { class: "panel query-card", "aria-label": "What is searched for" },
    el(
      "div",
      { class: "row spread" },
      title,
      el("button", { type: "button", class: "button quiet small", on: { click: clear } }, "New search"),
    ),
    body,
    below,
  );
  const addresses = new Map();
  signal.addEventListener("abort", () => addresses.forEach((address) => URL.revokeObjectURL(address)));

  const addressOf = (file) => {
    if (!addresses.has(file)) addresses.set(file, URL.createObjectURL(file));
    return addresses.get(file);
  };

  const show = (files, photos, chosen) => {
    const focused = document.activeElement?.dataset?.face;
    fill(
      body,
      files.map((file, place) => photoFigure(file, addressOf(file), photos[place], chosen[place] ?? "largest", (face) => {
        const faces = files.map((_, other) => (other === place ? face : (chosen[other] ?? "largest")));
        choose(face === "all" ? ["all"] : faces.map((each) => (each === "all" ? "largest" : each)));
      })),
    );
    if (focused) body.querySelector(`[data-face="${CSS.escape(focused)}"]`)?.focus();
    const faces = photos[0]?.faces ?? [];
    const everyone = files.length === 1 && faces.length > 1;
    fill(
      below,
      photos.some((photo) => photo?.faces.length > 1) && el("p", { class: "muted small" }, "Choose a face to search for that person."),
      el(
        "div",
        { class: "row" },
        everyone && el(
          "button",
          { type: "button", class: "button small", "aria-pressed": String(chosen[0] === "all"), on: { click: () => choose(chosen[0] === "all" ? ["largest"] : ["all"]) } },
          "Everyone in it",
        ),
        chooser("Add another photo", add, { kind: "button small", accept: "image/*,.heic,.heif" }),
      ),
    );
  };

  /** Show a picture from the index, and words. */
  const showStored = (words, pictureAddress) => {
    fill(
      body,
      el("div", { class: "query-stored" }, pictureAddress && el("img", { src: pictureAddress, alt: "" }), el("p", {}, words)),
    );
    fill(below);
  };

  /** Show how far a search for a video is; share: from 0 to 1, null if it is not known. */
  const showVideo = (name, words, share, stop) => {
    fill(
      body,
      el(
        "div",
        { class: "query-video" },
        el("p", { class: "file-line" }, icon("video"), el("strong", {}, name)),
        words && el("p", { class: "muted small" }, words),
        share !== undefined && el("progress", { "aria-label": "How far the video was read", max: 1, value: share }),
      ),
    );
    fill(below, stop && el("div", { class: "row" }, el("button", { type: "button", class: "button small", on: { click: stop } }, "Stop")));
  };

  return { element, show, showStored, showVideo };
}

function photoFigure(file, address, photo, chosen, choose) {
  const faces = photo?.faces ?? [];
  const picture = el("div", { class: "query-picture" }, el("img", {
    src: address,
    alt: photo ? `${photo.name}: ${count(faces.length, "face")}` : file.name,
    // What this browser cannot show (HEIC) still gets its faces, on a plain ground.
    on: { error: (event) => event.target.classList.add("unshown") },
  }));
  if (photo) picture.style.setProperty("--ratio", String(photo.width / photo.height));
  for (const face of faces) {
    const on = chosen === "all" || (chosen === "largest" ? face.largest : face.number === Number(chosen));
    const box = el("button", {
      type: "button",
      class: "face-box",
      "aria-pressed": String(on),
      "aria-label": `Face ${face.number} of ${faces.length}${face.largest ? ", the largest" : ""}`,
      title: on ? "This face is searched for" : "Search for this face",
      data: { face: `${file.name} ${face.number}` },
      on: { click: () => choose(String(face.number)) },
    });
    const [x1, y1, x2, y2] = face.box;
    box.style.left = `${(100 * Math.max(x1, 0)) / photo.width}%`;
    box.style.top = `${(100 * Math.max(y1, 0)) / photo.height}%`;
    box.style.width = `${(100 * (Math.min(x2, photo.width) - Math.max(x1, 0))) / photo.width}%`;
    box.style.height = `${(100 * (Math.min(y2, photo.height) - Math.max(y1, 0))) / photo.height}%`;
    picture.append(box);
  }
  return el("figure", { class: "query-figure" }, picture, el("figcaption", { class: "muted small" }, file.name));
}
