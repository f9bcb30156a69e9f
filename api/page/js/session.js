// Who is at the page: signing in with a key, once, for a cookie; and what the key allows.

import { request } from "./api.js";
import { actionForm } from "./dialogs.js";
import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { forgetPhotos } from "./kept_photos.js";

let session = { key_needed: false, signed_in: false, name: null, scopes: [], paths: false };

/** Ask the service who this is. */
export async function loadSession() {
  session = (await request("session")).body;
  return session;
}

/** Whether a scope is allowed: search, ingest or admin. */
export function may(scope) {
  return session.scopes.includes(scope);
}

/** Whether files of the server may be added by their paths. */
export function mayAddPaths() {
  return session.paths;
}

/** Whether the page can only show the form to sign in. */
export function mustSignIn() {
  return session.key_needed && !session.signed_in;
}

/** Fill a place with the form to sign in; done: called after it. */
export function showSignIn(main, done) {
  const field = el("input", {
    id: "key", name: "key", type: "password", autocomplete: "current-password", required: true, spellcheck: "false",
  });
  const act = async () => {
    session = (await request("session", { method: "POST", json: { key: field.value.trim() }, patient: false })).body;
    done();
  };
  const form = actionForm({
    fields: [el("label", { for: "key" }, "Key"), field],
    action: "Sign in",
    act,
  });
  fill(
    main,
    el(
      "section",
      { class: "panel sign-in" },
      el("h1", { tabindex: "-1" }, "Sign in"),
      el("p", { class: "muted" }, "This service needs a key. Whoever runs it can make one for you."),
      form,
    ),
  );
  field.focus();
}

/** Fill the corner of the bar: who is signed in, and the way out. */
export function showAccount(place, done) {
  const signOut = async () => {
    await forgetPhotos();
    await request("session", { method: "DELETE" });
    await loadSession();
    done();
  };
  fill(
    place,
    session.signed_in && [
      el("span", { class: "account-name muted" }, session.name),
      el("button", { type: "button", class: "icon-button", "aria-label": "Sign out", title: "Sign out", on: { click: signOut } }, icon("out")),
    ],
  );
}
