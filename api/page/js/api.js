// Requests to the service; what fails is thrown as a Failure.

const BASE = "/api/v1";
const TRIES = 4;
const LONGEST_WAIT_S = 60;
const listeners = { busy: () => {}, signedOut: () => {} };

/** What the service, or the way to it, answered instead of what was asked for. */
export class Failure extends Error {
  constructor({ status = 0, code = "offline", title = "", detail = "", errors = [], retryAfterS = null }) {
    super(detail || title || code);
    Object.assign(this, { status, code, title, detail, errors, retryAfterS });
  }
}

/** Call back with the seconds until the next try whenever the service is busy. */
export function whenBusy(listener) {
  listeners.busy = listener;
}

/** Call back when a request was refused for want of a key. */
export function whenSignedOut(listener) {
  listeners.signedOut = listener;
}

/**
 * Ask for a path below /api/v1 and return { status, body, headers }.
 *
 * query: parameters; lists repeat, empty ones are left out. json or form: the body. blob: the
 * answer is a picture. keepalive: it is sent though the page is being left. A busy service (429, 503
 * with Retry-After) is asked again, unless nobody is to wait for it without a word (patient: false).
 */
export async function request(path, { method = "GET", query = {}, json, form, signal, blob = false, keepalive = false, patient = true } = {}) {
  const address = withQuery(path.startsWith("/") ? path : `${BASE}/${path}`, query);
  const options = { method, signal, keepalive, credentials: "same-origin", headers: { Accept: "application/json, */*" } };
  if (json !== undefined) {
    options.body = JSON.stringify(json);
    options.headers["Content-Type"] = "application/json";
  } else if (form) {
    options.body = form;
  }
  for (let tries = 1; ; tries += 1) {
    try {
      return await once(address, options, blob);
    } catch (failure) {
      const again = patient && failure instanceof Failure && isBusy(failure) && tries < TRIES;
      if (!again) throw failure;
      listeners.busy(failure.retryAfterS);
      await pause(failure.retryAfterS, signal);
    }
  }
}

/** Return the failure that an answer is; text: its body. */
export function failureOf(status, text, retryAfter) {
  let problem = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // A proxy's page perhaps; the status says enough.
  }
  const retryAfterS = Number.parseFloat(retryAfter ?? "") || null;
  const failure = new Failure({ code: `status_${status}`, ...problem, status, retryAfterS });
  if (status === 401) listeners.signedOut(failure);
  return failure;
}

/** Wait; rejects as soon as the signal aborts. */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const end = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", end);
      resolve();
    }, seconds * 1000);
    signal?.addEventListener("abort", end, { once: true });
  });
}

/** Whether something was thrown because it is no longer wanted. */
export function isAborted(error) {
  return error?.name === "AbortError";
}

function withQuery(path, query) {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "" && each !== false) parameters.append(name, each);
    }
  }
  const text = parameters.toString();
  return text ? `${path}${path.includes("?") ? "&" : "?"}${text}` : path;
}

async function once(address, options, blob) {
  let response;
  try {
    response = await fetch(address, options);
    if (response.ok) {
      const body = response.status === 204 ? null : await (blob ? response.blob() : response.json());
      return { status: response.status, body, headers: response.headers };
    }
    return Promise.reject(failureOf(response.status, await response.text(), response.headers.get("Retry-After")));
  } catch (error) {
    if (isAborted(error)) throw error;
    throw new Failure({ detail: "No answer came from the service." });
  }
}

function isBusy({ status, retryAfterS }) {
  return (status === 429 || status === 503) && retryAfterS !== null && retryAfterS <= LONGEST_WAIT_S;
}
