// A result, large: the video from a moment or the photo, with the box, and its other moments.

import { isAborted, request } from "./api.js";
import { announceFailure } from "./announce.js";
import { openDialog } from "./dialogs.js";
import { el, fill } from "./dom.js";
import { fileName, folder } from "./format.js";
import { icon } from "./icons.js";
import { failurePanel } from "./problems.js";
import { verdictBadge } from "./results.js";
import { createStage } from "./stage.js";
import { moments, timeline } from "./timeline.js";
import { boxAt, facesOf, personIn } from "./tracks.js";

/**
 * Open a result at a time; returns { show(seconds), close(), closed } (a promise).
 *
 * moved(seconds): another moment was chosen. actions: again(result), "search with this face".
 */
export function openViewer({ result, atS, moved, actions, signal }) {
  const ending = new AbortController();
  const alive = AbortSignal.any([signal, ending.signal]);
  const body = el("div", { class: "viewer", "aria-busy": "true" });
  let stage = null;
  let wantedS = atS;
  const show = (seconds) => {
    wantedS = seconds;
    stage?.show(seconds, { play: true });
  };
  const closed = openDialog(fileName(result.media.path), () => body, { wide: true, signal }).then(() => ending.abort());
  const load = async () => {
    try {
      const face = (await request(`faces/${encodeURIComponent(result.best.face_id)}`, { signal: alive })).body;
      stage = fillViewer({ body, result, face, moved, actions, show, ending, alive });
      stage.show(wantedS, { play: true });
    } catch (error) {
      if (!isAborted(error)) fill(body, failurePanel(error, { again: load }));
    } finally {
      body.setAttribute("aria-busy", "false");
    }
  };
  load();
  return { show, closed, close: () => body.closest("dialog")?.close() };
}

function fillViewer({ body, result, face, moved, actions, show, ending, alive }) {
  const spans = result.appearances;
  const known = new Map();
  const isVideo = result.media.kind === "video";
  let faces = null;

  const learn = async (span) => {
    if (known.has(span)) return;
    known.set(span, []);
    try {
      faces ??= facesOf(result.media.id, alive);
      known.set(span, await personIn(result, span, await faces, alive));
      stage.redraw();
    } catch (error) {
      // The picture is there; only the box is missing.
      announceFailure(error);
    }
  };
  const spanAt = (seconds) => spans.find((each) => seconds >= each.start_s - 0.05 && seconds <= each.end_s + 0.05);
  const box = (seconds) => {
    if (!isVideo) return boxAt([face], face.timestamp_s);
    const span = spanAt(seconds);
    if (!span) return boxAt([{ ...face, appearance: null }], seconds);
    learn(span);
    return boxAt(known.get(span), seconds) ?? (Math.abs(seconds - face.timestamp_s) < 0.5 ? boxAt([face], face.timestamp_s) : null);
  };
  const list = el("div", { class: "viewer-moments" });
  let current;
  const mark = (seconds) => {
    const span = spanAt(seconds) ?? null;
    if (!isVideo || span === current) return;
    current = span;
    list.querySelectorAll("[aria-current]").forEach((each) => each.removeAttribute("aria-current"));
    const place = spans.indexOf(span);
    list.querySelectorAll(".time")[place]?.setAttribute("aria-current", "true");
  };
  const stage = createStage({
    media: { ...result, id: result.media.id, kind: result.media.kind, url: result.media_url, name: fileName(result.media.path) },
    frame: { width: face.frame_width, height: face.frame_height },
    boxAt: box,
    reached: mark,
    signal: alive,
  });
  const play = (span) => {
    moved(span.start_s);
    show(span.start_s);
  };
  const close = (act) => () => {
    ending.abort();
    body.closest("dialog").close();
    act(result);
  };
  if (isVideo) fill(list, timeline(spans, result.duration_s, play), moments(spans, play, { shown: 24 }));
  fill(
    body,
    stage.element,
    el(
      "div",
      { class: "viewer-side" },
      el("div", { class: "row spread" }, verdictBadge(result), result.person && el("span", { class: "person" }, icon("people"), result.person)),
      isVideo && list,
      el("p", { class: "muted small path" }, folder(result.media.path)),
      el("div", { class: "row" }, el("button", { type: "button", class: "button", on: { click: close(actions.again) } }, icon("face"), "Search with this face")),
    ),
  );
  return stage;
}
