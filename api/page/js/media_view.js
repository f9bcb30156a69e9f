// One photo or video: itself, what is known of it, and the faces that were found in it.

import { announce, announceFailure } from "./announce.js";
import { isAborted, request } from "./api.js";
import { el, fill } from "./dom.js";
import { bytes, clock, count, fileName, moment } from "./format.js";
import { icon } from "./icons.js";
import { stateBadge } from "./library.js";
import { askDelete } from "./media_dialogs.js";
import { askName } from "./naming.js";
import { pagedList } from "./pages.js";
import { failurePanel } from "./problems.js";
import { address, changed, go } from "./router.js";
import { may } from "./session.js";
import { createStage } from "./stage.js";
import { boxAt } from "./tracks.js";

const FACES = 60;

/** Show a media by the id in the address; its parameter `face` is the face that is looked at. */
export function showMedia(main, { rest, params }, signal) {
  const place = el("div", { class: "media-view", "aria-busy": "true" }, el("h1", { tabindex: "-1" }, "…"));
  main.append(place);
  const view = { update: () => false };
  const load = async () => {
    try {
      const { body: media } = await request(`media/${encodeURIComponent(rest[0] ?? "")}`, { signal });
      view.update = fillMedia(place, media, params, signal);
    } catch (error) {
      if (!isAborted(error)) fill(place, el("h1", { tabindex: "-1" }, "Photo or video"), failurePanel(error, { again: load }));
    } finally {
      place.removeAttribute("aria-busy");
    }
  };
  load();
  return { update: (route) => view.update(route) };
}

function fillMedia(place, media, params, signal) {
  const name = fileName(media.path);
  let chosen = null;
  const known = new Map();
  const stage = createStage({
    media: { ...media, name },
    frame: { width: media.width, height: media.height },
    boxAt: (seconds) => chosen && (media.kind === "photo" ? boxAt([chosen], chosen.timestamp_s) : boxAt(ofAppearance(chosen, known), seconds)),
    signal,
  });
  const faces = el("div", {});
  const list = el("ul", { class: "face-grid" });
  const look = (face, options) => {
    chosen = face;
    stage.show(face.timestamp_s, options);
    list.querySelectorAll("[aria-current]").forEach((each) => each.removeAttribute("aria-current"));
    list.querySelector(`[data-face="${CSS.escape(face.face_id)}"] .face-picture`)?.setAttribute("aria-current", "true");
  };
  const listed = pagedList({
    place: faces,
    path: media.faces_url,
    query: () => ({ limit: FACES }),
    list,
    item: (face) => {
      known.set(face.face_id, face);
      return faceTile(face, media, {
        look: () => {
          history.replaceState(history.state, "", changed({ face: face.face_id }));
          look(face, { play: true });
          stage.element.scrollIntoView({ block: "nearest" });
        },
        named: () => listed.reload(),
      });
    },
    empty: () => el("p", { class: "muted" }, media.state === "done" ? "No face was found in it." : "No faces so far."),
    signal,
    loaded: (items, first) => {
      const wanted = items.find((face) => face.face_id === params.get("face")) ?? items[0];
      if (first && wanted) look(chosen ? (known.get(chosen.face_id) ?? wanted) : wanted, {});
      else if (first) stage.show(0);
    },
  });
  fill(
    place,
    el("p", { class: "crumbs" }, el("a", { href: "#/library" }, icon("previous"), "Library")),
    el("div", { class: "view-head" }, el("div", {}, el("h1", { tabindex: "-1" }, name), el("p", { class: "muted small path" }, media.path)), actions(media)),
    problems(media),
    el("div", { class: "media-layout" }, stage.element, facts(media)),
    el("section", { "aria-labelledby": "faces-title" }, el("h2", { id: "faces-title" }, "Faces"), el("p", { class: "muted small" }, "Of each appearance the clearest few are kept."), faces),
  );
  document.title = `${name} · Sightings`;
  return (route) => {
    const face = known.get(route.params.get("face"));
    if (face) look(face, { play: true });
    return Boolean(face);
  };
}

function ofAppearance(face, known) {
  if (!face.appearance) return [face];
  return [...known.values()].filter((each) => each.appearance?.id === face.appearance.id);
}

function faceTile(face, media, { look, named }) {
  const when = media.kind === "video" ? clock(face.timestamp_s) : "";
  const name = async () => {
    if ((await askName(face)) !== undefined) named();
  };
  return el(
    "li",
    { class: "face-tile", data: { face: face.face_id } },
    el("button", { type: "button", class: "face-picture", "aria-label": `Show ${face.person ?? "face"}${when && ` at ${when}`}`, on: { click: look } }, el("img", { src: face.thumbnail_url, alt: "", loading: "lazy", width: 96, height: 96 })),
    el("span", { class: "small" }, face.person ?? el("span", { class: "muted" }, "No name")),
    when && el("span", { class: "muted small" }, when),
    el(
      "span",
      { class: "row tile-actions" },
      el("a", { class: "icon-button", href: address("search", { face_id: face.face_id }), "aria-label": "Search with this face", title: "Search with this face" }, icon("search")),
      may("admin") && el("button", { type: "button", class: "icon-button", "aria-label": face.person ? `Change the name ${face.person}` : "Name this person", title: "Name", on: { click: name } }, icon("name")),
    ),
  );
}

function actions(media) {
  const remove = async () => {
    if (await askDelete(media)) go("#/library");
  };
  const again = async () => {
    try {
      await request(`${media.url}/retry`, { method: "POST" });
      announce("It is queued again.");
      go("#/add");
    } catch (error) {
      announceFailure(error);
    }
  };
  return el(
    "div",
    { class: "row" },
    may("ingest") && media.state === "failed" && el("button", { type: "button", class: "button", on: { click: again } }, icon("retry"), "Try again"),
    may("admin") && el("button", { type: "button", class: "button", on: { click: remove } }, icon("delete"), "Delete"),
  );
}

function problems(media) {
  return [
    media.error && el("div", { class: "panel failure" }, icon("warning"), el("div", {}, el("h2", {}, "It could not be indexed"), el("p", {}, media.error))),
    media.warnings.length > 0 && el("details", { class: "panel note" }, el("summary", {}, count(media.warnings.length, "warning")), el("ul", {}, media.warnings.map((each) => el("li", { class: "small" }, each)))),
  ];
}

function facts(media) {
  const done = media.segments.filter((each) => each.state === "done").length;
  const rows = [
    ["State", stateBadge(media.state)],
    ["Length", media.duration_s ? clock(media.duration_s) : null],
    ["Picture", `${media.width} × ${media.height}`],
    ["Size", bytes(media.size_bytes)],
    ["Recorded", media.recorded_at ? moment(media.recorded_at) : null],
    ["Minutes done", media.kind === "video" && media.state !== "done" ? `${done} of ${media.segments.length}` : null],
    ["Also at", media.paths.length > 1 ? media.paths.slice(1).join(", ") : null],
  ];
  return el("dl", { class: "panel facts" }, rows.filter(([, value]) => value).map(([words, value]) => [el("dt", {}, words), el("dd", {}, value)]));
}
