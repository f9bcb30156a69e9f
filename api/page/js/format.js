// Numbers, times and names as people read them.

export const VERDICTS = {
  "same person": { words: "Same person", tone: "same" },
  possible: { words: "Possible match", tone: "possible" },
  different: { words: "Different person", tone: "different" },
};
const UNRATED = { words: "Not rated", tone: "different" };

/** Return the words and tone of a verdict; a model without thresholds gives none. */
export function verdict(name) {
  return VERDICTS[name] ?? UNRATED;
}

/** Return seconds as 0:12.4, or 1:02:03.4 from an hour up. */
export function clock(seconds, digits = 1) {
  const scale = 10 ** digits;
  const ticks = Math.round(Math.max(seconds, 0) * scale);
  const whole = Math.floor(ticks / scale);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const head = h ? `${h}:${String(m).padStart(2, "0")}` : `${m}`;
  const tail = digits ? `.${String(ticks % scale).padStart(digits, "0")}` : "";
  return `${head}:${String(s).padStart(2, "0")}${tail}`;
}

/** Return seconds from 90, 1:30 or 0:01:30; null if it is no time. */
export function parseClock(text) {
  const match = /^(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d+)?)$/.exec(text.trim());
  if (!match || (match[2] !== undefined && Number(match[3]) >= 60)) return null;
  return Number(match[1] ?? 0) * 3600 + Number(match[2] ?? 0) * 60 + Number(match[3]);
}

/** Return a span as 0:12.4–0:18.0. */
export function span({ start_s: start, end_s: end }) {
  return end - start < 0.05 ? clock(start) : `${clock(start)}–${clock(end)}`;
}

/** Return 1 face, 2 faces. */
export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
}

/** Return bytes in the unit that suits them. */
export function bytes(number) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let step = 0;
  let value = number;
  while (value >= 1000 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  return `${value.toLocaleString("en", { maximumFractionDigits: value < 10 && step ? 1 : 0 })} ${units[step]}`;
}

/** Return how long something still takes, in words. */
export function remaining(seconds) {
  if (seconds < 60) return `about ${count(Math.max(Math.ceil(seconds), 1), "second")} left`;
  if (seconds < 5400) return `about ${count(Math.round(seconds / 60), "minute")} left`;
  return `about ${count(Math.round(seconds / 3600), "hour")} left`;
}

/** Return a moment as the reader's own calendar and clock show it. */
export function moment(text) {
  return new Date(text).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

/** Return the last part of a path. */
export function fileName(path) {
  return path.split(/[\\/]/).pop() || path;
}

/** Return the folder of a path. */
export function folder(path) {
  return path.slice(0, Math.max(path.length - fileName(path).length - 1, 1));
}
