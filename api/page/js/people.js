// Everybody who has a name.

import { debounced, el } from "./dom.js";
import { count } from "./format.js";
import { icon } from "./icons.js";
import { pagedList } from "./pages.js";
import { askForget, askMerge, askRename } from "./people_dialogs.js";
import { address, changed, go } from "./router.js";
import { may } from "./session.js";

const PAGE = 60;

/** Show names with pictures and counts, to search, rename, merge and forget. */
export function showPeople(main, { params }, signal) {
  const field = el("input", { id: "people-contains", type: "search", autocomplete: "off", placeholder: "Part of a name", value: params.get("contains") ?? "" });
  const place = el("div", {});
  field.addEventListener("input", debounced(() => !signal.aborted && go(changed({ contains: field.value.trim() }), { replace: true })));
  main.append(
    el(
      "div",
      { class: "view-head" },
      el("div", {}, el("h1", { tabindex: "-1" }, "People"), el("p", { class: "muted" }, "Names come from folders, lists, and from naming a face in a result.")),
      el("div", { class: "field" }, el("label", { for: "people-contains", class: "unseen" }, "Find a name"), field),
    ),
    place,
  );
  let shown = params;
  const listed = pagedList({
    place,
    path: "people",
    query: () => ({ limit: PAGE, contains: shown.get("contains") }),
    list: el("ul", { class: "people" }),
    item: (person) => personCard(person, () => listed.reload()),
    empty: () => (shown.get("contains") ? emptySearch() : nobody()),
    signal,
  });
  return {
    update: (route) => {
      shown = route.params;
      if (field !== document.activeElement) field.value = shown.get("contains") ?? "";
      listed.reload();
      return true;
    },
  };
}

function personCard(person, reload) {
  const act = (ask) => async () => {
    if (await ask(person)) reload();
  };
  const action = (words, name, ask) =>
    el("button", { type: "button", class: "button quiet small", "aria-label": `${words} ${person.name}`, on: { click: act(ask) } }, icon(name), words);
  return el(
    "li",
    { class: "person-card", data: { person: person.name } },
    el(
      "a",
      { class: "person-link", href: address("search", { person: person.name }) },
      person.thumbnail_url ? el("img", { src: person.thumbnail_url, alt: "", loading: "lazy", width: 96, height: 96 }) : el("span", { class: "no-picture" }, icon("people")),
      el("span", { class: "person-words" }, el("strong", {}, person.name), el("span", { class: "muted small" }, `${count(person.faces, "face")} in ${count(person.media, "file")}`)),
    ),
    may("admin") && el("div", { class: "row person-actions" }, action("Rename", "name", askRename), action("Merge", "merge", askMerge), action("Forget", "delete", askForget)),
  );
}

function nobody() {
  return el(
    "div",
    { class: "panel empty" },
    el("h2", {}, "Nobody has a name yet"),
    el("p", {}, "Search with a photo of someone, then press “Name this person” at a result."),
    el("a", { class: "button primary", href: "#/" }, icon("search"), "Search"),
  );
}

function emptySearch() {
  return el("div", { class: "panel empty" }, el("h2", {}, "No such name"), el("p", {}, "No name contains this."), el("button", { type: "button", class: "button", on: { click: () => go(changed({ contains: null })) } }, "Show everybody"));
}
