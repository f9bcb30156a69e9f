// Changing names, and forgetting people for good.

import { announce } from "./announce.js";
import { request } from "./api.js";
import { deletedWords } from "./deleted.js";
import { actionForm, openDialog } from "./dialogs.js";
import { el } from "./dom.js";
import { count } from "./format.js";
import { nameField } from "./suggestions.js";

/** Ask for a new name; an existing one leads to merging. Returns whether anything changed. */
export function askRename(person) {
  return askNewName(person, {
    title: `Rename ${person.name}`,
    label: "New name",
    action: "Rename",
    value: person.name,
    words: "Searches by name find the new one at once.",
  });
}

/** Ask whom a person is to be one with. Returns whether anything changed. */
export function askMerge(person) {
  return askNewName(person, {
    title: `Merge ${person.name} into someone else`,
    label: "The name to keep",
    action: "Continue",
    value: "",
    words: `All faces of ${person.name} get that name, and ${person.name} is gone.`,
  });
}

async function askNewName(person, { title, label, action, value, words }) {
  const answer = await openDialog(title, (close) => {
    const { field, list } = nameField({ id: "new-name", required: true, value });
    const act = async () => {
      const name = field.value.trim();
      try {
        close({ name, renamed: await rename(person.name, name, false) });
      } catch (failure) {
        if (failure.code !== "name_taken") throw failure;
        close({ name, taken: true });
      }
    };
    return actionForm({
      fields: [el("label", { for: "new-name" }, label), field, list, el("p", { class: "muted small" }, words)],
      action,
      act,
      cancel: close,
    });
  });
  if (!answer) return false;
  if (answer.taken) return confirmMerge(person, answer.name);
  announce(`Renamed ${person.name} to ${answer.name}: ${count(answer.renamed, "face")}.`);
  return true;
}

async function confirmMerge(person, name) {
  const renamed = await openDialog("Make the two one?", (close) =>
    actionForm({
      fields: el("p", {}, "The name ", el("strong", {}, name), " exists. ", count(person.faces, "face"), " of ", el("strong", {}, person.name), " will be called so, too. This cannot be taken back."),
      action: `Merge into ${name}`,
      act: async () => close(await rename(person.name, name, true)),
      cancel: close,
      danger: true,
    }),
  );
  if (renamed === undefined) return false;
  announce(`Merged: ${count(renamed, "face")} of ${person.name} now carry the name ${name}.`);
  return true;
}

async function rename(name, newName, merge) {
  return (await request("people", { method: "PATCH", json: { name, new_name: newName, merge } })).body.renamed;
}

/** Ask, by having the name typed, whether a person is to be forgotten. Returns whether it was. */
export async function askForget(person) {
  const deleted = await openDialog(`Forget ${person.name}?`, (close) => {
    const field = el("input", { id: "forget-name", type: "text", autocomplete: "off", spellcheck: "false", "aria-describedby": "forget-words" });
    const alike = el("input", { type: "checkbox" });
    const form = actionForm({
      fields: [
        el(
          "p",
          { id: "forget-words" },
          `${count(person.faces, "face")} in ${count(person.media, "file")}, with their pictures, embeddings and names, will be deleted from the index for good. The photos and videos themselves stay.`,
        ),
        el("label", { class: "check" }, alike, "Also delete faces without a name that are the same person"),
        el("label", { for: "forget-name" }, "Type ", el("strong", {}, person.name), " to confirm"),
        field,
      ],
      action: "Forget for good",
      act: async () => close((await request("people", { method: "DELETE", query: { name: person.name, alike: alike.checked ? "true" : null } })).body),
      cancel: close,
      danger: true,
    });
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    field.addEventListener("input", () => {
      button.disabled = field.value.trim() !== person.name;
    });
    return form;
  });
  if (!deleted) return false;
  await openDialog(`${person.name} is forgotten`, (close) =>
    actionForm({ fields: deletedWords(deleted), action: "Done", act: async () => close() }),
  );
  return true;
}
