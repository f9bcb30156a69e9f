// A field for a person's name, which suggests those who are known.

import { isAborted, request } from "./api.js";
import { debounced, el, fill, freshId } from "./dom.js";

/** Return { field, list }: an input and the suggestions that belong beside it. */
export function nameField(properties = {}) {
  const id = freshId("names");
  const list = el("datalist", { id });
  let asking = new AbortController();
  const suggest = debounced(async () => {
    asking.abort();
    asking = new AbortController();
    try {
      const { body } = await request("people", { query: { contains: field.value.trim(), limit: 8 }, signal: asking.signal });
      fill(list, body.items.map((person) => el("option", { value: person.name })));
    } catch (error) {
      // Names can be typed without suggestions.
      if (!isAborted(error)) fill(list);
    }
  }, 200);
  const field = el("input", { type: "text", list: id, autocomplete: "off", maxlength: 1000, ...properties });
  field.addEventListener("input", suggest);
  field.addEventListener("focus", suggest);
  return { field, list };
}
