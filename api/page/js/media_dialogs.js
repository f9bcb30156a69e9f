// Deleting a photo or video from the index.

import { request } from "./api.js";
import { deletedWords } from "./deleted.js";
import { actionForm, openDialog } from "./dialogs.js";
import { el } from "./dom.js";
import { fileName } from "./format.js";

/** Ask whether a media is to be deleted, in two steps; returns whether it was. */
export async function askDelete(media) {
  const name = fileName(media.path);
  const deleted = await openDialog(`Delete ${name}?`, (close) => {
    const sure = el("input", { type: "checkbox" });
    const form = actionForm({
      fields: [
        el("p", {}, "Its faces, their pictures and embeddings, and the names given to them will be deleted from the index for good. If it was uploaded here, the file goes, too; other files stay where they are."),
        el("label", { class: "check" }, sure, "I understand that this cannot be taken back"),
      ],
      action: "Delete for good",
      act: async () => close((await request(media.url, { method: "DELETE" })).body),
      cancel: close,
      danger: true,
    });
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    sure.addEventListener("change", () => {
      button.disabled = !sure.checked;
    });
    return form;
  });
  if (!deleted) return false;
  await openDialog(`${name} is deleted`, (close) => actionForm({ fields: deletedWords(deleted), action: "Done", act: async () => close() }));
  return true;
}
