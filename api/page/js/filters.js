// What results must be like: a form whose values stand in the address.

import { request } from "./api.js";
import { clock, fileName, parseClock } from "./format.js";
import { el, freshId } from "./dom.js";
import { icon } from "./icons.js";
import { nameField } from "./suggestions.js";

/** The parameters of the address that are filters, as the service names them. */
export const FILTERS = [
  "kind", "named", "unnamed", "file_name", "under", "media", "from_s", "to_s",
  "recorded_from", "recorded_to", "min_face_px", "min_probability", "include_different", "top",
];
const FACE_SIZES = [["", "Any size"], ["40", "40 pixels or more"], ["80", "80 pixels or more"], ["160", "160 pixels or more"]];
const SURENESS = [["", "Any"], ["0.95", "0.95 or surer"], ["0.99", "0.99 or surer"], ["0.999", "0.999 or surer"]];
const TOPS = [["", "20"], ["50", "50"], ["100", "100"], ["500", "500"]];

/** Return the filters of an address: values by name, `named`, `media` and `file_name` as lists. */
export function filtersOf(params) {
  const found = {};
  for (const name of FILTERS) {
    const values = params.getAll(name).filter(Boolean);
    if (values.length) found[name] = ["named", "media", "file_name"].includes(name) ? values : values[0];
  }
  return found;
}

/** Return { element, set(filters) }; apply(changes): filters were changed, null for none. */
export function filterForm(apply) {
  const fields = {};
  const named = nameField({ placeholder: "Anybody" });
  const kinds = segments("Kind", "kind", [["", "All"], ["photo", "Photos"], ["video", "Videos"]], (value) => apply({ kind: value }));
  const change = (name, read = (text) => text.trim()) => (event) => {
    const value = read(event.target.value, event.target);
    if (value !== undefined) apply({ [name]: value || null });
  };
  const add = (name, words, input, more) => {
    const id = freshId("filter");
    input.id = id;
    fields[name] = input;
    return el("div", { class: "field" }, el("label", { for: id }, words), input, more);
  };
  const text = (name, words, properties = {}) =>
    add(name, words, el("input", { type: "text", autocomplete: "off", ...properties, on: { change: change(name) } }));
  const date = (name, words) => add(name, words, el("input", { type: "date", on: { change: change(name) } }));
  const time = (name, words) =>
    add(name, words, el("input", { type: "text", inputmode: "decimal", placeholder: "0:00", autocomplete: "off", on: { change: change(name, readTime) } }));
  const pick = (name, words, options) =>
    add(name, words, el("select", { on: { change: change(name) } }, options.map(([value, shown]) => el("option", { value }, shown))));
  const check = (name, words) => {
    const input = el("input", { type: "checkbox", on: { change: () => apply({ [name]: input.checked ? "true" : null, ...(name === "unnamed" && input.checked ? { named: null } : {}) }) } });
    fields[name] = input;
    return el("label", { class: "check" }, input, words);
  };
  named.field.addEventListener("change", () => apply({ named: named.field.value.trim() || null, unnamed: null }));
  const badge = el("span", { class: "badge", hidden: true });
  const media = el("div", { class: "chips" });
  const clear = el("button", { type: "button", class: "button quiet small", hidden: true, on: { click: () => apply(Object.fromEntries(FILTERS.map((name) => [name, null]))) } }, "Clear filters");
  const element = el(
    "details",
    { class: "panel filters" },
    el("summary", {}, icon("filter"), el("span", {}, "Filters"), badge),
    el(
      "form",
      { class: "filter-fields", "aria-label": "Filters", on: { submit: (event) => event.preventDefault() } },
      media,
      kinds.element,
      add("named", "Person", named.field, named.list),
      check("unnamed", "Only faces without a name"),
      el("fieldset", {}, el("legend", {}, "Seen in a video"), el("div", { class: "pair" }, time("from_s", "From"), time("to_s", "To"))),
      el("fieldset", {}, el("legend", {}, "Recorded"), el("div", { class: "pair" }, date("recorded_from", "From"), date("recorded_to", "To"))),
      text("file_name", "File name", { placeholder: "holiday.mp4" }),
      text("under", "Folder", { placeholder: "/films/2024" }),
      el("fieldset", {}, el("legend", {}, "Quality of the face"), el("div", { class: "pair" }, pick("min_face_px", "Size", FACE_SIZES), pick("min_probability", "Sureness", SURENESS))),
      check("include_different", "Also show different people"),
      pick("top", "Results at most", TOPS),
      clear,
    ),
  );
  if (matchMedia("(min-width: 60rem)").matches) element.open = true;

  const set = (filters) => {
    kinds.set(filters.kind ?? "");
    for (const [name, input] of Object.entries(fields)) {
      const value = [filters[name] ?? ""].flat()[0] ?? "";
      if (input.type === "checkbox") input.checked = value === "true";
      else if (input !== document.activeElement || input.tagName === "SELECT") setValue(input, name, value);
    }
    media.replaceChildren(...(filters.media ?? []).map((id) => mediaChip(id, () => apply({ media: filters.media.filter((each) => each !== id) }))));
    const active = Object.keys(filters).length;
    badge.textContent = String(active);
    badge.hidden = clear.hidden = active === 0;
    badge.setAttribute("aria-label", `${active} set`);
  };
  return { element, set };
}

function setValue(input, name, value) {
  const shown = name.endsWith("_s") && value !== "" ? clock(Number(value), Number.isInteger(Number(value)) ? 0 : 1) : value;
  if (input.tagName === "SELECT" && ![...input.options].some((option) => option.value === shown)) {
    input.append(el("option", { value: shown }, `${shown}`));
  }
  input.value = shown;
  input.setCustomValidity("");
}

/** Return seconds as the address holds them; undefined, and a note at the field, if it is no time. */
function readTime(text, input) {
  const seconds = text.trim() === "" ? "" : parseClock(text);
  input.setCustomValidity(seconds === null ? "Give a time such as 1:30 or 90." : "");
  if (seconds === null) {
    input.reportValidity();
    return undefined;
  }
  return seconds === "" ? "" : String(seconds);
}

function mediaChip(id, remove) {
  const chip = el("button", { type: "button", class: "chip removable", on: { click: remove } });
  const show = (name) => {
    chip.setAttribute("aria-label", `Only in ${name}: take this filter away`);
    chip.replaceChildren(`Only in ${name}`, icon("close"));
  };
  show(names.get(id) ?? "one file");
  if (!names.has(id)) {
    request(`media/${encodeURIComponent(id)}`).then(({ body }) => {
      nameMedia(id, fileName(body.path));
      show(names.get(id));
    }, () => {}); // the search itself says if it is gone
  }
  return chip;
}

const names = new Map();

/** Remember what a media is called, for the filter that names it. */
export function nameMedia(id, name) {
  names.set(id, name);
}

/** Return { element, set(value) }: a choice of one of a few. */
export function segments(words, name, options, choose) {
  const inputs = options.map(([value, shown]) => {
    const input = el("input", { type: "radio", name: `${name}-choice`, value, on: { change: () => choose(value || null) } });
    return [input, el("label", { class: "segment" }, input, el("span", {}, shown))];
  });
  const element = el("fieldset", { class: "segments" }, el("legend", {}, words), el("div", { class: "segment-row" }, inputs.map(([, label]) => label)));
  const set = (value) => {
    for (const [input] of inputs) input.checked = input.value === value;
  };
  return { element, set };
}
