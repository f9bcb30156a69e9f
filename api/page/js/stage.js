// A photo or video at a moment, with the box of a face over it.

import { el, fill } from "./dom.js";
import { createFrames } from "./frames.js";
import { icon } from "./icons.js";
import { createPlayer } from "./player.js";

/** What no browser plays; for all else the player finds out. */
const UNPLAYABLE = new Set(["video/mpeg", "video/x-msvideo", "video/mp2t", "video/x-flv", "application/octet-stream"]);

/**
 * Return { element, show(seconds, { play }), redraw() }.
 *
 * media: { id, url, file_url, kind, content_type, name }; frame: { width, height }.
 * boxAt(seconds): { box, sure } or null. reached(seconds): the moment that is seen now.
 */
export function createStage({ media, frame, boxAt, reached = () => {}, signal }) {
  const overlay = el("div", { class: "face-mark", hidden: true });
  const picture = el("div", { class: "stage-picture" });
  const note = el("p", { class: "note small", hidden: true });
  const controls = el("div", { class: "stage-controls" });
  const element = el("div", { class: "stage" }, picture, controls, note);
  picture.style.setProperty("--ratio", String(frame.width / frame.height));

  let nowS = 0;
  const draw = (seconds) => {
    nowS = seconds;
    const found = boxAt(seconds);
    overlay.hidden = !found;
    if (found) {
      const [left, top, right, bottom] = found.box;
      overlay.classList.toggle("unsure", !found.sure);
      overlay.style.left = `${100 * left}%`;
      overlay.style.top = `${100 * top}%`;
      overlay.style.width = `${100 * (right - left)}%`;
      overlay.style.height = `${100 * (bottom - top)}%`;
    }
    reached(seconds);
  };

  let shown;
  const use = (part) => {
    shown = part;
    fill(picture, part.element, overlay);
    fill(controls, part.controls);
  };
  const frames = () => createFrames({ media, draw, signal });
  if (media.kind === "photo" || UNPLAYABLE.has(media.content_type)) {
    use(frames());
  } else {
    use(createPlayer({ media, draw, signal, refused: () => {
      use(frames());
      tell();
      shown.show(nowS, {});
    } }));
  }
  const tell = () => {
    note.textContent = "This browser cannot play this kind of video, so its frames are shown.";
    note.hidden = false;
  };
  if (media.kind === "video" && shown.isFrames) tell();
  const full = el("button", { type: "button", class: "icon-button stage-full", "aria-label": "Full screen", title: "Full screen", on: { click: () => toggleFull(element) } }, icon("full"));
  element.append(full);

  return {
    element,
    show: (seconds, options = {}) => {
      nowS = seconds;
      shown.show(seconds, options);
    },
    redraw: () => draw(nowS),
  };
}

function toggleFull(element) {
  const change = document.fullscreenElement ? document.exitFullscreen() : element.requestFullscreen();
  change.catch(() => {});
}
