// Lists that come in pages: the first at once, each other when it is asked for.

import { isAborted, request } from "./api.js";
import { el, fill } from "./dom.js";
import { failurePanel } from "./problems.js";

/**
 * Fill a place with a list; returns { reload() }: from its start, by what query() is then.
 *
 * path, query(): where the pages are; item(each): its element; empty(): shown for none. An answer
 * that comes after something else was asked for is passed over.
 */
export function pagedList({ place, path, query, item, empty, list, signal, loaded = () => {} }) {
  const more = el("button", { type: "button", class: "button more" }, "Show more");
  let cursor = null;
  let loading = new AbortController();

  const load = async (first) => {
    loading.abort();
    const own = new AbortController();
    loading = own;
    place.setAttribute("aria-busy", "true");
    more.disabled = true;
    try {
      const { body } = await request(path, {
        query: { ...query(), cursor: first ? null : cursor },
        signal: AbortSignal.any([signal, own.signal]),
      });
      cursor = body.next_cursor;
      const fresh = body.items.map(item);
      if (first) {
        if (!fresh.length) fill(place, empty());
        else fill(place, list, more);
        list.replaceChildren(...fresh);
      } else {
        list.append(...fresh);
        if (!cursor) fresh[0]?.querySelector("a, button")?.focus();
      }
      more.hidden = !cursor;
      loaded(body.items, first);
    } catch (error) {
      if (isAborted(error)) return;
      const panel = failurePanel(error, { again: () => (panel.remove(), load(first)) });
      if (first) fill(place, panel);
      else place.append(panel);
    } finally {
      if (loading === own) {
        more.disabled = false;
        place.removeAttribute("aria-busy");
      }
    }
  };
  more.addEventListener("click", () => load(false));
  load(true);
  return { reload: () => load(true) };
}
