// All photos and videos of the index.

import { el, freshId } from "./dom.js";
import { segments } from "./filters.js";
import { bytes, clock, fileName, folder, moment } from "./format.js";
import { icon } from "./icons.js";
import { askDelete } from "./media_dialogs.js";
import { pagedList } from "./pages.js";
import { address, changed, go } from "./router.js";
import { may } from "./session.js";
import { nameField } from "./suggestions.js";

const STATES = [["", "Any state"], ["done", "Done"], ["working", "Being indexed"], ["queued", "Waiting"], ["failed", "Failed"]];
const STATE_WORDS = Object.fromEntries(STATES);
const FILTERS = ["kind", "state", "named", "file_name", "under", "recorded_from", "recorded_to"];

/** Show photos and videos in order of path, with their states; one can be opened or deleted. */
export function showLibrary(main, { params }, signal) {
  let shown = params;
  const place = el("div", {});
  const change = (name) => (event) => go(changed({ [name]: event.target.value.trim() }));
  const kinds = segments("Kind", "library", [["", "All"], ["photo", "Photos"], ["video", "Videos"]], (kind) => go(changed({ kind })));
  const inputs = {
    state: el("select", { on: { change: change("state") } }, STATES.map(([value, words]) => el("option", { value }, words))),
    file_name: el("input", { type: "text", autocomplete: "off", placeholder: "Whole name", on: { change: change("file_name") } }),
    under: el("input", { type: "text", autocomplete: "off", placeholder: "/films/2024", on: { change: change("under") } }),
    recorded_from: el("input", { type: "date", on: { change: change("recorded_from") } }),
    recorded_to: el("input", { type: "date", on: { change: change("recorded_to") } }),
  };
  const named = namedFilter(change("named"));
  inputs.named = named.field;
  const field = (name, words) => {
    inputs[name].id = freshId("library");
    return el("div", { class: "field" }, el("label", { for: inputs[name].id }, words), inputs[name]);
  };
  main.append(
    el(
      "div",
      { class: "view-head" },
      el("div", {}, el("h1", { tabindex: "-1" }, "Library"), el("p", { class: "muted" }, "Every photo and video in the index.")),
      may("ingest") && el("a", { class: "button primary", href: "#/add" }, icon("add"), "Add photos and videos"),
    ),
    el(
      "details",
      { class: "panel filters library-filters", open: matchMedia("(min-width: 60rem)").matches },
      el("summary", {}, icon("filter"), "Filters"),
      el(
        "form",
        { "aria-label": "Filters", on: { submit: (event) => event.preventDefault() } },
        kinds.element,
        field("state", "State"),
        named.element,
        field("file_name", "File name"),
        field("under", "Folder"),
        field("recorded_from", "Recorded from"),
        field("recorded_to", "Recorded to"),
      ),
    ),
    place,
  );
  const showFilters = () => {
    kinds.set(shown.get("kind") ?? "");
    for (const [name, input] of Object.entries(inputs)) input.value = shown.get(name) ?? "";
  };
  showFilters();
  const listed = pagedList({
    place,
    path: "media",
    query: () => Object.fromEntries(FILTERS.map((name) => [name, shown.getAll(name)])),
    list: el("ul", { class: "media-list panel", "aria-label": "Photos and videos" }),
    item: (media) => mediaRow(media, () => listed.reload()),
    empty: () => (FILTERS.some((name) => shown.get(name)) ? emptyFilters() : emptyLibrary()),
    signal,
  });
  return {
    update: (route) => {
      shown = route.params;
      showFilters();
      listed.reload();
      return true;
    },
  };
}

function mediaRow(media, reload) {
  const name = fileName(media.path);
  const remove = async () => {
    if (await askDelete(media)) reload();
  };
  return el(
    "li",
    { class: "media-row", data: { media: media.id } },
    icon(media.kind),
    el(
      "div",
      { class: "media-words" },
      el("a", { href: address(`media/${encodeURIComponent(media.id)}`), title: media.path }, name),
      el("span", { class: "muted small path" }, folder(media.path)),
      media.error && el("span", { class: "small bad" }, media.error),
      !media.error && media.warnings.length > 0 && el("span", { class: "small warn" }, media.warnings[0]),
    ),
    el("span", { class: "media-fact muted small" }, media.duration_s ? clock(media.duration_s, 0) : `${media.width} × ${media.height}`),
    el("span", { class: "media-fact muted small" }, bytes(media.size_bytes)),
    el("span", { class: "media-fact muted small wide-only" }, media.recorded_at ? moment(media.recorded_at) : ""),
    stateBadge(media.state),
    may("admin") ? el("button", { type: "button", class: "icon-button", "aria-label": `Delete ${name}`, title: "Delete", on: { click: remove } }, icon("delete")) : el("span"),
  );
}

function namedFilter(change) {
  const id = freshId("library");
  const { field, list } = nameField({ id, placeholder: "Anybody", on: { change } });
  return { field, element: el("div", { class: "field" }, el("label", { for: id }, "Person"), field, list) };
}

/** Return a state in words. */
export function stateBadge(state) {
  return el("span", { class: `state ${state}` }, STATE_WORDS[state] ?? state);
}

function emptyLibrary() {
  return el(
    "div",
    { class: "panel empty" },
    el("h2", {}, "Nothing has been indexed yet"),
    el("p", {}, "Photos and videos that are added show up here."),
    may("ingest") && el("a", { class: "button primary", href: "#/add" }, icon("add"), "Add photos and videos"),
  );
}

function emptyFilters() {
  return el("div", { class: "panel empty" }, el("h2", {}, "Nothing fits"), el("p", {}, "No photo or video fits these filters."), el("a", { class: "button", href: "#/library" }, "Show all"));
}
