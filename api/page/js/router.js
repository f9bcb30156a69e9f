// Views by address. What is looked at stands behind the #: it is never sent to a server or a log.

/** Return the parts of an address: { view, rest, params }. */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [view, ...rest] = path.split("/").map(decoded);
  return { view, rest, params: new URLSearchParams(query) };
}

/** Return the address of a view; lists repeat, empty values are left out. */
export function address(path, params = {}) {
  const query = new URLSearchParams();
  const pairs = params instanceof URLSearchParams ? [...params] : Object.entries(params);
  for (const [name, value] of pairs) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "" && each !== false) query.append(name, each);
    }
  }
  const text = query.toString();
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** Go to an address; replace: without a step in the history. */
export function go(to, { replace = false } = {}) {
  if (to === location.hash) {
    route();
  } else if (replace) {
    history.replaceState(history.state, "", to);
    route();
  } else {
    location.hash = to;
  }
}

/** Return the address with some parameters changed; null takes one away. */
export function changed(changes) {
  const { view, rest, params } = parse(location.hash);
  for (const [name, value] of Object.entries(changes)) {
    params.delete(name);
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "" && each !== false) params.append(name, each);
    }
  }
  return address([view, ...rest].map(encodeURIComponent).join("/"), params);
}

let views = {};
let shown = null;
let after = () => {};

/**
 * Start showing views, by the first part of the address.
 *
 * A view is a function (main, route, signal) that fills `main` and may return { update(route) },
 * which takes over other parameters without starting anew and returns whether it could. signal
 * aborts when the view is left. whenShown(name, isNew) is called after each change.
 */
export function start(all, whenShown) {
  views = all;
  after = whenShown;
  addEventListener("hashchange", route);
  route();
}

/** Show the view of the address anew. */
export function restart() {
  leave();
  route();
}

function route() {
  const to = parse(location.hash);
  const name = Object.hasOwn(views, to.view) ? to.view : "";
  const key = [name, ...to.rest].join("/");
  if (shown?.key === key && shown.handle?.update?.(to)) {
    after(name, false);
    return;
  }
  leave();
  const main = document.getElementById("main");
  const ending = new AbortController();
  main.replaceChildren();
  shown = { key, ending };
  shown.handle = views[name](main, to, ending.signal);
  after(name, true);
}

function leave() {
  shown?.ending.abort();
  shown = null;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
