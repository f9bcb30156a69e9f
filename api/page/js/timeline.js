// When a person is seen: a bar of the whole video, and the spans as buttons.

import { clock, count, span as spanWords, verdict } from "./format.js";
import { el } from "./dom.js";

const SHOWN = 5;

/**
 * Return the bar of a video with its spans. It is for pointers; `moments` is for everybody.
 * play(span): a span was pressed.
 */
export function timeline(spans, durationS, play) {
  const whole = Math.max(durationS ?? 0, ...spans.map((each) => each.end_s), 0.1);
  const bar = el("div", { class: "timeline-bar" });
  for (const each of spans) {
    const { words, tone } = verdict(each.verdict);
    const mark = el("div", { class: `timeline-span ${tone}`, title: `${spanWords(each)} · ${words}, cosine ${each.score.toFixed(2)}`, on: { click: () => play(each) } });
    mark.style.left = `${(100 * each.start_s) / whole}%`;
    mark.style.width = `${(100 * Math.max(each.end_s - each.start_s, 0)) / whole}%`;
    bar.append(mark);
  }
  return el(
    "div",
    { class: "timeline", "aria-hidden": "true" },
    bar,
    el("div", { class: "timeline-ends" }, el("span", {}, clock(0, 0)), el("span", {}, clock(whole, 0))),
  );
}

/** Return the spans as a list of buttons: the first few, and one that shows all. */
export function moments(spans, play, { shown = SHOWN, current = null } = {}) {
  const button = (each) =>
    el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: "chip time", "aria-label": `Play ${spanWords(each)}, ${verdict(each.verdict).words}`, title: `${verdict(each.verdict).words}, cosine ${each.score.toFixed(2)}`, "aria-current": each === current ? "true" : null, on: { click: () => play(each) } },
        spanWords(each),
      ),
    );
  const list = el("ol", { class: "moments", "aria-label": "Moments" }, spans.slice(0, shown).map(button));
  if (spans.length > shown) {
    const more = el("li", {}, el("button", {
      type: "button",
      class: "button quiet small",
      on: {
        click: () => {
          const rest = spans.slice(shown).map(button);
          more.replaceWith(...rest);
          rest[0].firstChild.focus();
        },
      },
    }, `${count(spans.length - shown, "more moment")}`));
    list.append(more);
  }
  return list;
}
