// Results, grouped by photo or video.

import { count, fileName, folder, verdict } from "./format.js";
import { el, fill } from "./dom.js";
import { icon } from "./icons.js";
import { moments, timeline } from "./timeline.js";

/**
 * Return { element, busy(words), show(answer, …), panel(node) }.
 *
 * actions: open(result, seconds), again(result) for "search with this face", name(result) for its
 * name (null without the right), within(result) for "only this file".
 */
export function resultList(actions) {
  const summary = el("p", { class: "summary", role: "status" });
  const body = el("div", {});
  const element = el("section", { class: "results", "aria-label": "Results", "aria-busy": "false" }, summary, body);

  const busy = (words) => {
    element.setAttribute("aria-busy", "true");
    summary.textContent = words;
    if (!body.childElementCount) fill(body, el("div", { class: "skeletons", "aria-hidden": "true" }, [1, 2, 3].map(() => el("div", { class: "skeleton" }))));
  };
  const panel = (node, words = "") => {
    element.setAttribute("aria-busy", "false");
    summary.textContent = words;
    fill(body, node);
  };
  const show = (lists, { empty }) => {
    element.setAttribute("aria-busy", "false");
    const total = lists.reduce((sum, list) => sum + list.results.length, 0);
    summary.textContent = total ? inWords(lists) : "Nothing was found.";
    if (!total) {
      fill(body, empty);
      return;
    }
    fill(body, lists.map((list) => [
      lists.length > 1 && el("h2", { class: "list-title" }, list.query.face ? `Face ${list.query.face}` : list.query.description),
      list.results.length
        ? el("ol", { class: "result-list" }, list.results.map((result) => resultCard(result, actions)))
        : el("p", { class: "muted" }, "This person was not found."),
    ]));
  };
  return { element, busy, show, panel };
}

function inWords(lists) {
  // Several people of one photo may be found in the same file.
  const found = new Map(lists.flatMap((list) => list.results).map((result) => [result.media.id, result]));
  const results = [...found.values()];
  const parts = ["video", "photo"]
    .map((kind) => [results.filter((result) => result.media.kind === kind).length, kind])
    .filter(([number]) => number)
    .map(([number, kind]) => count(number, kind));
  return `Found in ${parts.join(" and ")}, best first.`;
}

function resultCard(result, actions) {
  const name = fileName(result.media.path);
  const isVideo = result.media.kind === "video";
  const spans = result.appearances;
  const openBest = () => actions.open(result, result.best.timestamp_s);
  const openSpan = (each) => actions.open(result, each.start_s);
  const person = el("span", { class: "person" });
  const naming = el("button", { type: "button", class: "button quiet small" });
  const showName = () => {
    fill(person, result.person ? [icon("people"), el("span", {}, result.person)] : el("span", { class: "muted" }, "No name yet"));
    fill(naming, icon("name"), result.person ? "Change name" : "Name this person");
  };
  naming.addEventListener("click", async () => {
    const named = await actions.name(result);
    if (named === undefined) return;
    result.person = named;
    showName();
  });
  showName();
  return el(
    "li",
    { class: "result", data: { media: result.media.id } },
    el(
      "button",
      { type: "button", class: "result-picture", "aria-label": `${isVideo ? "Play" : "Open"} ${name}`, on: { click: openBest } },
      el("img", { src: result.thumbnail_url, alt: "", loading: "lazy", width: 112, height: 112 }),
      isVideo && el("span", { class: "result-play" }, icon("play")),
    ),
    el(
      "div",
      { class: "result-body" },
      el(
        "div",
        { class: "result-head" },
        el("h3", {}, el("button", { type: "button", class: "link", title: result.media.path, on: { click: openBest } }, name)),
        verdictBadge(result),
      ),
      el(
        "p",
        { class: "result-facts" },
        person,
        el("span", { class: "muted" }, isVideo ? `Video · ${count(spans.length, "moment")}` : "Photo"),
        el("span", { class: "muted path", title: result.media.path }, folder(result.media.path)),
      ),
      result.media.state !== "done" && el("p", { class: "note small" }, "Still being indexed: more may turn up."),
      isVideo && timeline(spans, result.duration_s, openSpan),
      isVideo && moments(spans, openSpan),
      el(
        "div",
        { class: "result-actions" },
        el("button", { type: "button", class: "button quiet small", on: { click: () => actions.again(result) } }, icon("face"), "Search with this face"),
        actions.name && naming,
        isVideo && el("button", { type: "button", class: "button quiet small", on: { click: () => actions.within(result) } }, icon("filter"), "Only this video"),
      ),
    ),
  );
}

/** Return the verdict in words with the cosine as a small figure; it is no percentage. */
export function verdictBadge(result) {
  const { words, tone } = verdict(result.verdict);
  return el(
    "span",
    { class: "verdict-line" },
    el("span", { class: `verdict ${tone}` }, words),
    el("span", { class: "cosine", title: "Cosine of the two faces' embeddings: 1 is the same picture. It is no percentage." }, `cosine ${result.score.toFixed(2)}`),
  );
}

