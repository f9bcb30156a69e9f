// Adding photos and videos: files from here, or paths of the server's; and the jobs.

import { isAborted, pause, request } from "./api.js";
import { actionForm } from "./dialogs.js";
import { el, fill } from "./dom.js";
import { chooser, takeFiles } from "./dropzone.js";
import { bytes, count } from "./format.js";
import { icon } from "./icons.js";
import { jobList } from "./jobs.js";
import { failurePanel } from "./problems.js";
import { mayAddPaths } from "./session.js";
import { groupsOf, upload } from "./upload.js";

/** Show where to drop files or give paths, and the jobs with how far they are. */
export function showIngest(main, _, signal) {
  const force = el("input", { type: "checkbox" });
  const sending = el("div", { class: "sending", "aria-live": "polite" });
  const jobs = jobList(signal);
  const send = (files) => sendFiles(files, { force: force.checked, place: sending, jobs, signal });
  takeFiles(send, { hint: "Drop to add to the library", signal });
  main.append(
    el("div", { class: "view-head" }, el("div", {}, el("h1", { tabindex: "-1" }, "Add photos and videos"), el("p", { class: "muted" }, "Faces are found in the background; what is done can be searched at once."))),
    el(
      "div",
      { class: "add-layout" },
      el(
        "section",
        { class: "drop", "aria-label": "Upload" },
        icon("add"),
        el("p", { class: "drop-title" }, "Drop photos and videos here"),
        el("p", { class: "muted" }, "They are copied to the server."),
        chooser("Choose files", send),
      ),
      mayAddPaths() && pathForm(force, sending, jobs),
    ),
    el("label", { class: "check" }, force, "Index again what is done already"),
    sending,
    el("section", { "aria-labelledby": "jobs-title" }, el("h2", { id: "jobs-title" }, "Jobs"), jobs.element),
  );
}

function pathForm(force, place, jobs) {
  const field = el("textarea", { id: "paths", rows: 4, required: true, spellcheck: "false", placeholder: "/films/2024\n/photos/party.jpg" });
  const act = async () => {
    const paths = field.value.split("\n").map((each) => each.trim()).filter(Boolean);
    const { body } = await request("media", { method: "POST", json: { paths, force: force.checked } });
    fill(place, outcome(body));
    field.value = "";
    jobs.refresh();
  };
  const form = actionForm({
    fields: [el("label", { for: "paths" }, "Files and folders of the server, one a line"), field],
    action: "Add these",
    act,
  });
  form.classList.add("panel", "paths");
  return el("section", { "aria-label": "Paths" }, form);
}

async function sendFiles(files, { force, place, jobs, signal }) {
  const stopping = new AbortController();
  const alive = AbortSignal.any([signal, stopping.signal]);
  const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
  const bar = el("progress", { max: total, value: 0, "aria-label": "Sent" });
  const words = el("p", { class: "small muted" });
  const heading = el("strong", {}, `Sending ${count(files.length, "file")}`);
  const panel = el("div", { class: "panel" }, el("div", { class: "row spread" }, heading, el("button", { type: "button", class: "button small", on: { click: () => stopping.abort() } }, "Stop")), bar, words);
  place.prepend(panel);
  let before = 0;
  try {
    for (const group of groupsOf(files)) {
      const sent = (done) => {
        bar.value = before + done;
        words.textContent = `${bytes(Math.min(before + done, total))} of ${bytes(total)}`;
      };
      const answer = await patiently(() => upload(group, { force, sent, signal: alive }), words, alive);
      before += group.reduce((sum, file) => sum + file.size, 0);
      place.append(outcome(answer));
      jobs.refresh();
    }
    panel.remove();
  } catch (error) {
    if (isAborted(error)) panel.remove();
    else panel.replaceWith(failurePanel(error, { again: (event) => {
      event.target.closest(".panel").remove();
      sendFiles(files, { force, place, jobs, signal });
    } }));
  }
}

/** Do it, and once more after the wait that a busy service asks for. */
async function patiently(act, words, signal) {
  try {
    return await act();
  } catch (error) {
    if (isAborted(error) || !error.retryAfterS || ![429, 503].includes(error.status)) throw error;
    words.textContent = `The service is busy. Trying again in ${count(error.retryAfterS, "second")}.`;
    await pause(error.retryAfterS, signal);
    return act();
  }
}

function outcome({ queued, skipped, under_way: underWay, failed }) {
  const parts = [
    queued.length && `${count(queued.length, "file")} queued`,
    skipped.length && `${skipped.length} done already`,
    underWay.length && `${underWay.length} under way already`,
    failed.length && `${failed.length} cannot be used`,
  ].filter(Boolean);
  return el(
    "div",
    { class: "panel outcome" },
    el("p", {}, parts.length ? `${parts.join(", ")}.` : "There was nothing to add."),
    failed.length > 0 && el("ul", { class: "small bad" }, failed.map((each) => el("li", {}, each))),
  );
}

