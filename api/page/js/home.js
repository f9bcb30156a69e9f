// The first view: choose whom to look for.

import { isAborted, request } from "./api.js";
import { el, fill } from "./dom.js";
import { chooser, takeFiles } from "./dropzone.js";
import { icon } from "./icons.js";
import { failurePanel } from "./problems.js";
import { address } from "./router.js";
import { searchFor } from "./search.js";
import { may } from "./session.js";

const PEOPLE = 12;

/** Show where to drop a photo, and who can be searched for by name. */
export function showHome(main, _, signal) {
  const below = el("div", { class: "home-below", "aria-live": "polite" });
  main.append(
    el(
      "section",
      { class: "hero" },
      el("h1", { tabindex: "-1" }, "Find where someone appears"),
      el("p", { class: "lead" }, "Give a photo of a face. Sightings finds the photos and videos that show this person, and the moments."),
      el(
        "div",
        { class: "drop" },
        icon("face"),
        el("p", { class: "drop-title" }, "Drop a photo here"),
        el("p", { class: "muted" }, "or paste one, several of the same person, or a video"),
        chooser("Choose photos", searchFor),
      ),
      el("p", { class: "muted small" }, "What you search with is not stored on the server."),
    ),
    below,
  );
  takeFiles(searchFor, { hint: "Drop to search for this person", signal });
  fillBelow(below, signal);
}

async function fillBelow(below, signal) {
  try {
    const [media, people] = await Promise.all([
      request("media", { query: { limit: 1 }, signal }),
      request("people", { query: { limit: PEOPLE }, signal }),
    ]);
    if (!media.body.items.length) fill(below, emptyIndex());
    else if (people.body.items.length) fill(below, named(people.body));
  } catch (error) {
    if (!isAborted(error)) fill(below, failurePanel(error, { again: () => fillBelow(below, signal) }));
  }
}

function emptyIndex() {
  return el(
    "section",
    { class: "panel empty" },
    el("h2", {}, "Nothing has been indexed yet"),
    el("p", {}, may("ingest") ? "Add photos and videos first; then there is something to find." : "Ask who runs this service to add photos and videos."),
    may("ingest") && el("a", { class: "button primary", href: "#/add" }, icon("add"), "Add photos and videos"),
  );
}

function named({ items, next_cursor: more }) {
  return el(
    "section",
    { "aria-labelledby": "home-people" },
    el("div", { class: "row spread" }, el("h2", { id: "home-people" }, "Or someone you have named"), more && el("a", { href: "#/people" }, "All people")),
    el(
      "ul",
      { class: "faces-row" },
      items.map((person) =>
        el(
          "li",
          {},
          el(
            "a",
            { class: "face-link", href: address("search", { person: person.name }) },
            person.thumbnail_url ? el("img", { src: person.thumbnail_url, alt: "", loading: "lazy", width: 88, height: 88 }) : el("span", { class: "no-picture" }, icon("people")),
            el("span", {}, person.name),
          ),
        ),
      ),
    ),
  );
}
