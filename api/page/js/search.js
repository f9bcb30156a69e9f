// Searching: what is looked for stands in the address; the photos themselves stay in the browser.

import { announce, announceFailure } from "./announce.js";
import { isAborted, request } from "./api.js";
import { el } from "./dom.js";
import { chooser, takeFiles } from "./dropzone.js";
import { filterForm, filtersOf, nameMedia } from "./filters.js";
import { fileName, clock } from "./format.js";
import { keepPhotos, keptPhotos } from "./kept_photos.js";
import { askName } from "./naming.js";
import { failurePanel } from "./problems.js";
import { queryCard } from "./query_card.js";
import { resultList } from "./results.js";
import { address, changed, go, parse } from "./router.js";
import { may } from "./session.js";
import { awaitVideoSearch } from "./video_query.js";
import { openViewer } from "./viewer.js";

const QUERY = ["photos", "face_id", "person"];
const SEEN_ONLY = ["open", "at"];

/** Start a search with files: photos of one person, or one video. */
export async function searchFor(files) {
  go(address("search", { photos: await keepPhotos(files) }));
}

/** Show a search and what it finds. */
export function showSearch(main, start, signal) {
  let params = start.params;
  let ran = null;
  let running = new AbortController();
  let files = [];
  let photos = [];
  let lists = [];
  let viewer = null;

  const apply = (changes) => go(changed({ ...changes, video: params.has("photos") ? null : params.get("video") }));
  const card = queryCard({
    choose: (faces) => go(changed({ face: faces })),
    add: async (more) => go(changed({ photos: await keepPhotos([...files, ...more]), face: null })),
    clear: () => go("#/"),
    signal,
  });
  const filters = filterForm(apply);
  const open = (result, seconds) => go(changed({ open: result.media.id, at: seconds.toFixed(3) }));
  const again = (result) => go(address("search", { face_id: result.best.face_id }));
  const name = may("admin") && ((result) => askName({ face_id: result.best.face_id, person: result.person, thumbnail_url: result.thumbnail_url }));
  const within = (result) => {
    nameMedia(result.media.id, fileName(result.media.path));
    apply({ media: result.media.id });
  };
  const results = resultList({ open, again, name, within });
  main.append(
    el("h1", { class: "unseen", tabindex: "-1" }, "Search"),
    el("div", { class: "search-layout" }, el("div", { class: "search-side" }, card.element, filters.element), results.element),
  );
  takeFiles(searchFor, { hint: "Drop to search for this person", signal });

  const run = async () => {
    running.abort();
    running = new AbortController();
    const own = AbortSignal.any([signal, running.signal]);
    results.busy("Searching…");
    try {
      const answer = await find(own);
      if (!answer) return; // it goes on as a search for a video
      ({ lists } = answer);
      lists.flatMap((list) => list.results).forEach((each) => nameMedia(each.media.id, fileName(each.media.path)));
      results.show(lists, { empty: nothingFound() });
      follow();
    } catch (error) {
      if (isAborted(error)) return;
      results.panel(failurePanel(error, { again: canRepeat(error) ? run : null, more: wayOut(error) }));
    }
  };

  const find = async (own) => {
    const wanted = filtersOf(params);
    if (params.has("video")) return followVideo(own);
    if (params.has("photos")) return findPhotos(wanted, own);
    const json = { ...wanted, ...numbers(wanted) };
    for (const key of ["face_id", "person"]) if (params.has(key)) json[key] = params.get(key);
    describeStored(own);
    return (await request("search", { method: "POST", json, signal: own })).body;
  };

  const findPhotos = async (wanted, own) => {
    files = (await keptPhotos(params.get("photos"))) ?? [];
    if (!files.length) {
      card.showStored("The photo of this search is no longer kept in this browser.");
      results.panel(el("div", { class: "panel empty" }, el("h2", {}, "Choose the photo again"), el("p", {}, "Photos are kept for an hour at most, and never on the server."), chooser("Choose photos", searchFor)));
      return null;
    }
    const isVideo = files.length === 1 && files[0].type.startsWith("video/");
    if (isVideo) card.showVideo(files[0].name, "Sending the video…", null);
    else card.show(files, photos, params.getAll("face"));
    const form = new FormData();
    for (const file of files) form.append("photo", file, file.name);
    for (const face of params.getAll("face")) form.append("face", face);
    for (const [key, values] of Object.entries(wanted)) for (const value of [values].flat()) form.append(key, value);
    const { status, body } = await request("search", { method: "POST", form, signal: own });
    if (status === 202) {
      go(changed({ video: body.id }), { replace: true });
      return null;
    }
    ({ photos } = body);
    card.show(files, photos, params.getAll("face"));
    return body;
  };

  const followVideo = async (own) => {
    const id = params.get("video");
    files = (await keptPhotos(params.get("photos") ?? "")) ?? [];
    const stop = () => {
      announce("The search was stopped.");
      go("#/"); // leaving it stops it
    };
    const told = (job) => {
      const share = job.duration_s ? Math.min(job.reached_s / job.duration_s, 1) : null;
      const over = job.state === "done" || job.state === "failed";
      const words = over ? "Everybody in this video" : `Looking at the video: ${clock(job.reached_s, 0)}${job.duration_s ? ` of ${clock(job.duration_s, 0)}` : ""}`;
      card.showVideo(job.name, words, over ? undefined : share, over ? null : stop);
      if (!over) results.busy("Looking for faces in the video…");
    };
    try {
      return { lists: await awaitVideoSearch(id, told, own) };
    } catch (error) {
      if (error.code !== "search_not_found" || !files.length) throw error;
      go(changed({ video: null }), { replace: true }); // it was left, and is searched for again
      return null;
    }
  };

  const describeStored = async (own) => {
    try {
      if (params.has("person")) {
        const { body } = await request("people", { query: { contains: params.get("person"), limit: 20 }, signal: own });
        const person = body.items.find((each) => each.name === params.get("person"));
        card.showStored(el("strong", {}, params.get("person")), person?.thumbnail_url);
        return;
      }
      const face = (await request(`faces/${encodeURIComponent(params.get("face_id"))}`, { signal: own })).body;
      const media = (await request(face.media_url, { signal: own })).body;
      const where = `${fileName(media.path)}${media.kind === "video" ? ` at ${clock(face.timestamp_s)}` : ""}`;
      card.showStored([el("strong", {}, face.person ?? "A face without a name"), el("br"), el("span", { class: "muted small" }, `From ${where}`)], face.thumbnail_url);
    } catch (error) {
      if (!isAborted(error)) card.showStored("This face or person is not in the index.");
    }
  };

  const nothingFound = () => {
    const strict = !params.has("include_different");
    const filtered = Object.keys(filtersOf(params)).length > 0;
    return el(
      "div",
      { class: "panel empty" },
      el("h2", {}, "This person was not found"),
      el("p", {}, filtered ? "Nothing that fits the filters shows this person." : "No photo or video in the index shows a face that is alike enough. A photo in which the face is larger and sharper may help, or several photos of the person."),
      el(
        "div",
        { class: "row" },
        filtered && el("button", { type: "button", class: "button", on: { click: () => go(address("search", pick(params, [...QUERY, "face"]))) } }, "Clear filters"),
        strict && el("button", { type: "button", class: "button", on: { click: () => apply({ include_different: "true" }) } }, "Show the nearest faces all the same"),
      ),
    );
  };

  /** Open, move or close what the address says is open. */
  const follow = () => {
    const wanted = params.get("open");
    if (!wanted) {
      viewer?.close();
      return;
    }
    const seconds = Number.parseFloat(params.get("at")) || 0;
    if (viewer?.mediaId === wanted) {
      viewer.show(seconds);
      return;
    }
    viewer?.close();
    const result = lists.flatMap((list) => list.results).find((each) => each.media.id === wanted);
    if (!result) return;
    const mine = openViewer({
      result,
      atS: seconds,
      moved: (atS) => history.replaceState(history.state, "", changed({ at: atS.toFixed(3) })),
      actions: { again },
      signal,
    });
    viewer = { ...mine, mediaId: wanted };
    const opened = viewer;
    mine.closed.then(() => {
      if (viewer === opened) viewer = null;
      if (parse(location.hash).params.get("open") === wanted && !signal.aborted) leaveViewer();
    });
  };

  const update = ({ params: fresh }) => {
    const same = (keys) => keys.every((key) => fresh.getAll(key).join("\n") === params.getAll(key).join("\n"));
    if (!same(QUERY)) return false;
    params = fresh;
    const signature = pick(params, [...params.keys()].filter((key) => !SEEN_ONLY.includes(key))).toString();
    filters.set(filtersOf(params));
    if (signature === ran) follow();
    else {
      ran = signature;
      run().catch(announceFailure);
    }
    return true;
  };
  update(start);
  return { update };
}

/** Take the open result out of the address: by going back, if opening it was the last step. */
function leaveViewer() {
  const without = changed({ open: null, at: null });
  if (stepBefore === without) history.back();
  else go(without, { replace: true });
}

let stepBefore = null;
addEventListener("hashchange", (event) => {
  stepBefore = new URL(event.oldURL).hash;
});

function pick(params, keys) {
  const picked = new URLSearchParams();
  for (const key of new Set(keys)) for (const value of params.getAll(key)) picked.append(key, value);
  return picked;
}

/** Return the filters that JSON wants as numbers and truth values. */
function numbers(wanted) {
  const converted = {};
  for (const key of ["from_s", "to_s", "min_face_px", "min_probability", "top"]) if (key in wanted) converted[key] = Number(wanted[key]);
  for (const key of ["unnamed", "include_different"]) if (key in wanted) converted[key] = wanted[key] === "true";
  return converted;
}

function canRepeat({ code }) {
  return !["invalid", "no_face", "media_refused", "too_large", "index_empty", "face_not_found", "person_not_found", "search_not_found"].includes(code);
}

function wayOut({ code }) {
  if (code === "index_empty") return el("a", { class: "button primary", href: "#/add" }, "Add photos and videos");
  if (["no_face", "media_refused", "too_large", "search_not_found"].includes(code)) return chooser("Choose another photo", searchFor);
  return null;
}
