// Where a person's face is in the frames of a video, from the few faces of it that the index keeps.

import { request } from "./api.js";

const PAGE = 200;
const PAGES = 5;
const NEAR_S = 0.5;
const APART_S = 2;
const EDGE_S = 0.05;

/** Return the faces of a media in order of time; of very many, the first thousand. */
export async function facesOf(mediaId, signal) {
  const faces = [];
  let cursor = null;
  for (let page = 0; page < PAGES && (page === 0 || cursor); page += 1) {
    const { body } = await request(`media/${encodeURIComponent(mediaId)}/faces`, { query: { limit: PAGE, cursor }, signal });
    faces.push(...body.items);
    cursor = body.next_cursor;
  }
  return faces;
}

/** Return the faces of the appearance that a face belongs to, in order of time; itself at least. */
export function sameAppearance(face, faces) {
  const own = faces.filter((each) => each.appearance && each.appearance.id === face.appearance?.id);
  return own.length ? own : [face];
}

/**
 * Return the faces of the person of a result within one of its spans.
 *
 * Two people may be seen at the very same time; then the index is asked which one is meant.
 */
export async function personIn(result, span, faces, signal) {
  const known = faces.find((face) => face.face_id === result.best.face_id);
  if (known && sameSpan(known.appearance, span)) return sameAppearance(known, faces);
  const within = faces.filter((face) => sameSpan(face.appearance, span));
  if (within.length && within.every((face) => face.appearance.id === within[0].appearance.id)) return within;
  const { body } = await request("search", {
    method: "POST",
    json: {
      face_id: result.best.face_id, media: [result.media.id], from_s: span.start_s, to_s: span.end_s,
      top: 1, include_different: true,
    },
    signal,
  });
  const best = body.lists[0]?.results[0]?.best;
  const face = faces.find((each) => each.face_id === best?.face_id) ?? (best && (await request(`faces/${encodeURIComponent(best.face_id)}`, { signal })).body);
  return face ? sameAppearance(face, faces) : [];
}

/**
 * Return { box, sure } at a time, or null: box as shares of the frame, [left, top, right, bottom].
 *
 * faces: of one appearance, in order of time. Between two of them it moves evenly; that is sure
 * only near one, or if they are not far apart.
 */
export function boxAt(faces, timestampS) {
  if (!faces.length) return null;
  const [first, last] = [faces[0], faces[faces.length - 1]];
  const start = first.appearance?.start_s ?? first.timestamp_s;
  const end = last.appearance?.end_s ?? last.timestamp_s;
  if (timestampS < start - EDGE_S || timestampS > Math.max(end, last.timestamp_s) + EDGE_S) return null;
  const after = faces.findIndex((face) => face.timestamp_s >= timestampS);
  const next = after < 0 ? last : faces[after];
  const previous = after <= 0 ? next : faces[after - 1];
  const gap = next.timestamp_s - previous.timestamp_s;
  const along = gap > 0 ? Math.min(Math.max((timestampS - previous.timestamp_s) / gap, 0), 1) : 0;
  const nearest = Math.min(Math.abs(timestampS - previous.timestamp_s), Math.abs(timestampS - next.timestamp_s));
  const [from, to] = [shares(previous), shares(next)];
  return {
    box: from.map((value, side) => value + (to[side] - value) * along),
    sure: nearest <= NEAR_S || (gap > 0 && gap <= APART_S),
  };
}

/** Return a face's box as shares of its frame. */
export function shares(face) {
  const [x1, y1, x2, y2] = face.box;
  return [x1 / face.frame_width, y1 / face.frame_height, x2 / face.frame_width, y2 / face.frame_height].map((value) => Math.min(Math.max(value, 0), 1));
}

function sameSpan(appearance, span) {
  return Boolean(appearance) && Math.abs(appearance.start_s - span.start_s) < 0.02 && Math.abs(appearance.end_s - span.end_s) < 0.02;
}
