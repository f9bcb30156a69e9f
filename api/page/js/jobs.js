// Jobs: how far each is, live; cancel and try again.

import { announce, announceFailure } from "./announce.js";
import { isAborted, pause, request } from "./api.js";
import { actionForm, openDialog } from "./dialogs.js";
import { el, fill } from "./dom.js";
import { count, fileName, moment, remaining } from "./format.js";
import { icon } from "./icons.js";
import { stateBadge } from "./library.js";
import { pagedList } from "./pages.js";
import { failurePanel } from "./problems.js";
import { address } from "./router.js";

const SHOWN = 20;
const FASTEST_S = 1;
const SLOWEST_S = 15;

/** Return { element, refresh() }: the latest jobs, asked after less and less often until one moves. */
export function jobList(signal) {
  const element = el("div", { class: "jobs" });
  const rows = new Map();
  let waiting = new AbortController();
  let seen = "";
  let waitS = FASTEST_S;

  const load = async () => {
    const { body } = await request("jobs", { query: { limit: SHOWN }, signal });
    const now = JSON.stringify(body.items.map(({ segments, ...rest }) => [rest, segments.done, segments.failed]));
    waitS = now === seen ? Math.min(waitS * 1.5, SLOWEST_S) : FASTEST_S;
    seen = now;
    if (!body.items.length) {
      fill(element, el("p", { class: "muted" }, "Nothing was added yet."));
      return false;
    }
    for (const job of body.items) {
      if (!rows.has(job.id)) rows.set(job.id, jobRow(job, refresh, signal));
      rows.get(job.id).set(job);
    }
    const wanted = body.items.map((job) => rows.get(job.id).element);
    // Rows stay where they are while nothing else came, so that the focus does.
    if (wanted.some((row, place) => element.children[place] !== row) || element.children.length !== wanted.length) fill(element, wanted);
    return body.items.some((job) => job.state === "queued" || job.state === "working");
  };
  const follow = async () => {
    while (!signal.aborted) {
      waiting = new AbortController(); // before it is asked: who refreshes meanwhile is not passed over
      const moving = await load().catch(failed);
      await pause(moving ? waitS : SLOWEST_S * 4, AbortSignal.any([signal, waiting.signal])).catch(() => {});
      if (document.hidden) await untilVisible(signal);
    }
  };
  const failed = (error) => {
    if (!isAborted(error)) fill(element, failurePanel(error, { again: refresh }));
    return false;
  };
  const refresh = () => {
    waitS = FASTEST_S;
    waiting.abort();
  };
  follow();
  return { element, refresh };
}

function untilVisible(signal) {
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", resolve, { once: true, signal });
    signal.addEventListener("abort", resolve, { once: true });
  });
}

function jobRow(first, refresh, signal) {
  const state = el("span", {});
  const bar = el("progress", { max: 1, "aria-label": "Progress" });
  const words = el("p", { class: "muted small" });
  const details = el("details", { class: "job-files" }, el("summary", {}, "Files"));
  const place = el("div", {});
  details.append(place);
  let files = null;
  const showFiles = () => {
    if (files) files.reload();
    else files = fileList(place, first, signal);
  };
  details.addEventListener("toggle", () => details.open && showFiles());
  const cancel = el("button", { type: "button", class: "button small" }, icon("close"), "Cancel");
  const again = el("button", { type: "button", class: "button small" }, icon("retry"), "Try failed ones again");
  cancel.addEventListener("click", async () => (await askCancel(first)) && refresh());
  again.addEventListener("click", async () => {
    try {
      const { body } = await request(`${first.url}/retry`, { method: "POST" });
      announce(`${count(body.queued.length, "file")} queued again.`);
      refresh();
    } catch (error) {
      announceFailure(error);
    }
  });
  const element = el(
    "article",
    { class: "panel job", data: { job: first.id }, "aria-label": `Job of ${moment(first.queued_at)}` },
    el("div", { class: "row spread" }, el("strong", {}, moment(first.queued_at)), state),
    bar,
    words,
    el("div", { class: "row" }, cancel, again),
    details,
  );
  let stateShown = "";
  const set = (job) => {
    fill(state, stateBadge(job.state));
    element.dataset.state = job.state;
    bar.max = Math.max(job.segments.total, 1);
    bar.value = job.segments.done + job.segments.failed;
    words.textContent = jobWords(job);
    const over = job.state === "done" || job.state === "failed";
    bar.hidden = over;
    cancel.hidden = over;
    again.hidden = job.media.failed === 0;
    const now = JSON.stringify(job.media);
    if (details.open && stateShown && now !== stateShown) showFiles();
    stateShown = now;
  };
  return { element, set };
}

function jobWords({ media, segments, state }) {
  const total = media.queued + media.working + media.done + media.failed;
  const parts = [`${media.done} of ${count(total, "file")} done`];
  if (media.failed) parts.push(`${media.failed} failed`);
  if (state === "working" && segments.eta_s !== null) parts.push(remaining(segments.eta_s));
  else if (state === "queued") parts.push("waiting for its turn");
  return parts.join(" · ");
}

function fileList(place, job, signal) {
  return pagedList({
    place,
    path: job.media_url,
    query: () => ({ limit: 20 }),
    list: el("ul", { class: "media-list" }),
    item: (media) =>
      el(
        "li",
        { class: "media-row" },
        icon(media.kind),
        el("div", { class: "media-words" }, el("a", { href: address(`media/${encodeURIComponent(media.id)}`) }, fileName(media.path)), media.error && el("span", { class: "small bad" }, media.error)),
        el("span", { class: "media-fact muted small" }, media.segments && media.segments.total > 1 ? `${media.segments.done} of ${media.segments.total} minutes` : ""),
        stateBadge(media.state),
      ),
    empty: () => el("p", { class: "muted small" }, "All of it is gone from the index."),
    signal,
  });
}

async function askCancel(job) {
  const done = await openDialog("Cancel this job?", (close) =>
    actionForm({
      fields: el("p", {}, "What is waiting or being worked on is taken back: new files leave the index, and uploaded ones are deleted from the server. What is done stays."),
      action: "Cancel the job",
      act: async () => close((await request(`${job.url}/cancel`, { method: "POST" })).body),
      cancel: close,
      danger: true,
    }),
  );
  if (!done) return false;
  const parts = [
    done.removed.length && `${count(done.removed.length, "file")} taken back`,
    done.restored.length && `${done.restored.length} as before`,
    done.cut_short.length && `${done.cut_short.length} cut short`,
  ].filter(Boolean);
  announce(parts.length ? `Cancelled: ${parts.join(", ")}.` : "There was nothing left to cancel.");
  return true;
}
