// Sending files to be indexed, with how far it is.

import { Failure, failureOf } from "./api.js";

const GROUP_FILES = 100;
const GROUP_BYTES = 256e6;

/** Return files in groups that are sent, and become a job, each: a huge one would be refused. */
export function groupsOf(files) {
  const groups = [];
  let size = 0;
  for (const file of files) {
    if (!groups.length || groups.at(-1).length >= GROUP_FILES || size + file.size > GROUP_BYTES) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1).push(file);
    size += file.size;
  }
  return groups;
}

/** Send files as one job; sent(bytes) tells how far it is. Returns the answer; throws a Failure. */
export function upload(files, { force, sent, signal }) {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const form = new FormData();
    for (const file of files) form.append("file", file, file.name);
    if (force) form.append("force", "true");
    const sending = new XMLHttpRequest();
    const stop = () => sending.abort();
    signal.addEventListener("abort", stop, { once: true });
    sending.upload.addEventListener("progress", (event) => sent(event.loaded));
    sending.addEventListener("loadend", () => signal.removeEventListener("abort", stop));
    sending.addEventListener("abort", () => reject(signal.reason));
    sending.addEventListener("error", () => reject(new Failure({ detail: "The connection broke while sending." })));
    sending.addEventListener("load", () => {
      if (sending.status === 202) resolve(JSON.parse(sending.responseText));
      else reject(failureOf(sending.status, sending.responseText, sending.getResponseHeader("Retry-After")));
    });
    sending.open("POST", "/api/v1/media");
    sending.send(form);
  });
}
