// A search for the people of a video: sent, then asked after until it is done.

import { Failure, pause, request } from "./api.js";

const FIRST_S = 0.5;
const SLOWEST_S = 4;

/**
 * Wait for a search; told(job) is called each time. Returns its lists; throws a Failure.
 *
 * Whoever goes away before it is done, by the signal or by leaving the page, stops it.
 */
export async function awaitVideoSearch(id, told, signal) {
  const over = new AbortController();
  const address = `search/${encodeURIComponent(id)}`;
  const stop = () => request(address, { method: "DELETE", keepalive: true }).catch(() => {});
  signal.addEventListener("abort", stop, { signal: over.signal });
  addEventListener("pagehide", stop, { signal: over.signal });
  try {
    for (let wait = FIRST_S; ; wait = Math.min(wait * 1.3, SLOWEST_S)) {
      const { body: job } = await request(address, { signal });
      told(job);
      if (job.state === "done") return job.lists;
      if (job.state === "failed") throw new Failure(job.error ?? { code: "internal" });
      await pause(wait, signal);
    }
  } finally {
    over.abort();
  }
}
