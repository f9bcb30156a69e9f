// The page: who is there, where to go, and what is shown.

import { announce, announceFailure } from "./announce.js";
import { whenBusy, whenSignedOut } from "./api.js";
import { el, fill } from "./dom.js";
import { count } from "./format.js";
import { showHome } from "./home.js";
import { icon } from "./icons.js";
import { showIngest } from "./ingest.js";
import { prune } from "./kept_photos.js";
import { showLibrary } from "./library.js";
import { showMedia } from "./media_view.js";
import { showPeople } from "./people.js";
import { failurePanel } from "./problems.js";
import { restart, start } from "./router.js";
import { showSearch } from "./search.js";
import { loadSession, may, mustSignIn, showAccount, showSignIn } from "./session.js";

const VIEWS = {
  "": { words: "Search", icon: "search", show: showHome },
  search: { words: "Results", show: showSearch },
  people: { words: "People", icon: "people", show: showPeople },
  library: { words: "Library", icon: "library", show: showLibrary },
  media: { words: "Library", show: showMedia },
  add: { words: "Add", icon: "add", show: showIngest, scope: "ingest" },
};
const UNDER = { search: "", media: "library" };
const main = document.getElementById("main");

function guarded({ show, scope }) {
  return (place, route, signal) => {
    if (mustSignIn()) return showSignIn(place, signedIn);
    if (!may(scope ?? "search")) {
      place.append(el("h1", { class: "unseen", tabindex: "-1" }, "Not allowed"), failurePanel({ code: "scope_missing" }));
      return null;
    }
    return show(place, route, signal);
  };
}

function showNavigation(name) {
  const current = UNDER[name] ?? name;
  const links = Object.entries(VIEWS).filter(([, view]) => view.icon && !mustSignIn() && may(view.scope ?? "search"));
  fill(
    document.getElementById("nav"),
    links.map(([path, view]) => el("a", { href: `#/${path}`, "aria-current": path === current ? "page" : null }, icon(view.icon), el("span", {}, view.words))),
  );
  showAccount(document.getElementById("account"), signedIn);
}

function signedIn() {
  restart();
}

let first = true;
function shown(name, isNew) {
  document.querySelectorAll("dialog[open]").forEach((dialog) => isNew && dialog.close());
  if (!isNew) return;
  showNavigation(name);
  document.title = name === "" ? "Sightings" : `${VIEWS[name].words} · Sightings`;
  // Screen readers go on where the new view begins; on the first visit the browser decides.
  if (!first && !main.contains(document.activeElement)) main.querySelector("h1")?.focus({ preventScroll: true });
  if (!first) scrollTo(0, 0);
  first = false;
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // what is behind the # says which view is shown
  main.focus();
});
addEventListener("unhandledrejection", (event) => announceFailure(event.reason));
whenBusy((seconds) => announce(`The service is busy. Trying again in ${count(seconds, "second")}.`));
whenSignedOut(() => {
  const wasSignedIn = !mustSignIn();
  loadSession().then(() => wasSignedIn && mustSignIn() && restart(), () => {});
});

async function begin() {
  try {
    await loadSession();
  } catch (error) {
    fill(main, failurePanel(error, { again: begin }));
    return;
  }
  prune().catch(() => {});
  start(Object.fromEntries(Object.entries(VIEWS).map(([name, view]) => [name, guarded(view)])), shown);
}

begin();
