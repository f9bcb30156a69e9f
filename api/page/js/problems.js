// What went wrong, in plain words, and what can be done about it.

import { el } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";

const WORDS = {
  offline: ["The service does not answer", "Check that it is still running, then try again."],
  no_face: ["No face was found", "Take a photo in which the face is larger, sharper, or less turned away."],
  media_refused: ["This file cannot be used", null],
  too_large: ["That is too large", null],
  index_empty: ["Nothing has been indexed yet", "Add photos and videos first; then there is something to find."],
  face_not_found: ["This face is no longer in the index", "Somebody may have deleted it. Search with another one."],
  person_not_found: ["Nobody has this name", "It may have been changed or forgotten. See who is there under People."],
  media_not_found: ["This photo or video is no longer in the index", "Somebody may have deleted it."],
  job_not_found: ["This job is no longer there", null],
  search_not_found: ["This search is over", "Searches for videos are kept for a while only. Choose the video again."],
  file_unavailable: ["The file is not where it was", "It was moved, changed or deleted since it was indexed, so it cannot be shown."],
  path_refused: ["This folder may not be used", null],
  scope_missing: ["Your key does not allow this", "Sign in with a key that does, or ask who runs the service."],
  key_needed: ["Please sign in", "The service wants a key."],
  key_refused: ["This key is not accepted", "Check it for missing characters. It may also have run out or been removed."],
  rate_limited: ["Too many requests in a short time", "Wait a little, then try again."],
  overloaded: ["The service is busy", "As many searches as may run are running. Try again in a moment."],
  index_unavailable: ["The index cannot be reached", "Whoever runs the service should look at it. Try again later."],
  queue_unavailable: ["Nothing can be queued right now", "The queue of jobs cannot be reached. Try again later."],
  model_unavailable: ["Faces cannot be compared right now", null],
  name_taken: ["This name exists already", null],
  invalid: ["Something in this request is not right", null],
  internal: ["The service failed", "This is not your fault. Its log says more."],
  disk_full: ["The service has no space left", "Whoever runs it has to free some; then try again."],
};

/** What is said of these is all that helps here: the service's own words are for programs. */
const SAID = new Set(["offline", "face_not_found", "person_not_found"]);

/** Return title and text of a failure. */
export function inWords(failure) {
  const [title, text] = WORDS[failure.code] ?? [failure.title || "It did not work", null];
  if (failure.code === "rate_limited" && failure.retryAfterS) {
    return { title, text: `Wait ${count(failure.retryAfterS, "second")}, then try again.` };
  }
  return { title, text: text ?? failure.detail ?? "" };
}

/** Return a failure in one line. */
export function inOneLine(failure) {
  const { title, text } = inWords(failure);
  return text ? `${title}. ${text}` : `${title}.`;
}

/** Return a panel that says what failed; again: called by its button "Try again". */
export function failurePanel(failure, { again, more = [] } = {}) {
  const { title, text } = inWords(failure);
  const details = failure.detail && failure.detail !== text && !SAID.has(failure.code);
  return el(
    "div",
    { class: "panel failure", role: "alert", data: { code: failure.code } },
    icon("warning"),
    el(
      "div",
      {},
      el("h2", {}, title),
      text && el("p", {}, text),
      details && el("p", { class: "muted small" }, failure.detail),
      el(
        "div",
        { class: "row" },
        again && el("button", { type: "button", class: "button", on: { click: again } }, icon("retry"), "Try again"),
        more,
      ),
    ),
  );
}
