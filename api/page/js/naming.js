// Naming the person of a face: the whole appearance gets the name.

import { announce } from "./announce.js";
import { request } from "./api.js";
import { actionForm, openDialog } from "./dialogs.js";
import { el } from "./dom.js";
import { count } from "./format.js";
import { nameField } from "./suggestions.js";

/** Ask for a face's name and store it. Returns the name, null if it was taken back, undefined. */
export function askName({ face_id: faceId, person, thumbnail_url: picture }) {
  return openDialog(person ? "Change the name" : "Name this person", (close) => {
    const { field, list } = nameField({ id: "person-name", required: true, value: person ?? "", autofocus: true });
    const store = async (name) => {
      const { body } = await request(`faces/${encodeURIComponent(faceId)}`, { method: "PATCH", json: { person: name } });
      announce(name ? `Named ${name}: ${count(body.changed, "face")} of this appearance.` : "The name was taken back.");
      close(name);
    };
    return actionForm({
      fields: [
        el("div", { class: "naming" }, el("img", { src: picture, alt: "", width: 88, height: 88 }), el("div", { class: "field" }, el("label", { for: "person-name" }, "Name"), field, list)),
        el("p", { class: "muted small" }, "The name goes to every frame of this appearance, and searches by name find it."),
        person && el("button", { type: "button", class: "button quiet small", on: { click: () => store(null).catch(() => close()) } }, "Take the name back"),
      ],
      action: "Save name",
      act: () => store(field.value.trim()),
      cancel: close,
    });
  });
}
