// How much was deleted, in words.

import { el } from "./dom.js";
import { count } from "./format.js";

/** Return paragraphs about what a deletion deleted, and where some of it remains. */
export function deletedWords({ media = 0, faces, labels, files = 0, still_in: snapshots = [], alike_left: alike = 0 }) {
  const parts = [
    count(faces, "face"),
    count(labels, "name given to a face", "names given to faces"),
    media && count(media, "entry of a photo or video", "entries of photos and videos"),
    files && count(files, "uploaded file"),
  ].filter(Boolean);
  return [
    el("p", {}, `Deleted for good: ${parts.join(", ")}.`),
    alike > 0 && el("p", { class: "note" }, `${count(alike, "face")} without a name that may be the same person ${alike === 1 ? "stays" : "stay"} in the index.`),
    snapshots.length > 0 && el("p", { class: "note" }, `These snapshots still hold it all: ${snapshots.join(", ")}. Delete them, too.`),
  ];
}
