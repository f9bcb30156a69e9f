// A search for the people of a video: sent, then asked after until it is done.

import { Failure, pause, request } from "./api.js";

const FIRST_S = 0.5;
const SLOWEST_S = 4;

/** Wait for a search; told(job) is called each time. Returns its lists; throws a Failure. */
export async function awaitVideoSearch(id, told, signal) {
  for (let wait = FIRST_S; ; wait = Math.min(wait * 1.3, SLOWEST_S)) {
    const { body: job } = await request(`search/${encodeURIComponent(id)}`, { signal });
    told(job);
    if (job.state === "done") return job.lists;
    if (job.state === "failed") throw new Failure(job.error ?? { code: "internal" });
    await pause(wait, signal);
  }
}

/** Stop a search and have it forgotten; it may be over already. */
export async function stopVideoSearch(id) {
  await request(`search/${encodeURIComponent(id)}`, { method: "DELETE" }).catch(() => {});
}
