// Frames one by one: photos, and videos that the browser cannot play.

import { isAborted, request } from "./api.js";
import { clock } from "./format.js";
import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { failurePanel } from "./problems.js";

const STEP_S = 0.5;
const LEAP_S = 5;
const LARGEST_PX = 1920;

/**
 * Return { element, controls, show(seconds) }.
 *
 * draw(seconds): called with the time of the frame that is shown.
 */
export function createFrames({ media, draw, signal }) {
  const isVideo = media.kind === "video";
  const image = el("img", { class: "stage-frame", alt: isVideo ? `Frame of ${media.name}` : media.name });
  const holder = el("div", { class: "stage-holder" }, image);
  const time = el("output", { class: "frame-time", "aria-live": "polite" });
  let atS = 0;
  let address = null;
  let loading = new AbortController();

  const show = async (seconds) => {
    const most = media.duration_s ?? Number.POSITIVE_INFINITY;
    atS = isVideo ? Math.min(Math.max(seconds, 0), most) : 0;
    loading.abort();
    loading = new AbortController();
    holder.classList.add("loading");
    try {
      const answer = await request(`${media.url}/frame`, {
        query: { timestamp_s: atS.toFixed(3), max_side_px: LARGEST_PX },
        signal: AbortSignal.any([signal, loading.signal]),
        blob: true,
      });
      const fresh = URL.createObjectURL(answer.body);
      image.src = fresh;
      await image.decode().catch(() => {});
      if (address) URL.revokeObjectURL(address);
      address = fresh;
      fill(holder, image);
      const shownS = Number.parseFloat(answer.headers.get("X-Timestamp-S")) || atS;
      time.textContent = clock(shownS);
      image.dataset.timestampS = String(shownS);
      draw(isVideo ? shownS : 0);
    } catch (error) {
      if (isAborted(error)) return;
      fill(holder, failurePanel(error, { again: () => show(seconds) }));
    } finally {
      holder.classList.remove("loading");
    }
  };
  signal.addEventListener("abort", () => address && URL.revokeObjectURL(address));

  const step = (by, words, sign) =>
    el("button", { type: "button", class: "button", "aria-label": words, title: words, on: { click: () => show(atS + by) } }, by < 0 && icon("previous"), sign, by > 0 && icon("next"));
  const controls = isVideo
    ? el(
        "div",
        {
          class: "frame-steps",
          role: "group",
          "aria-label": "Frames",
          on: {
            keydown: (event) => {
              const by = { ArrowLeft: -STEP_S, ArrowRight: STEP_S }[event.key];
              if (by) {
                event.preventDefault();
                show(atS + by);
              }
            },
          },
        },
        step(-LEAP_S, "Back 5 seconds", "5 s"),
        step(-STEP_S, "Previous", "Previous"),
        time,
        step(STEP_S, "Next", "Next"),
        step(LEAP_S, "Forward 5 seconds", "5 s"),
      )
    : null;
  return { element: holder, controls, show, isFrames: true };
}
