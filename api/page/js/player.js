// A video that the browser plays, from a moment on.

import { el } from "./dom.js";

/**
 * Return { element, controls, show(seconds, { play }) }.
 *
 * draw(seconds): called for each frame that is shown. refused(): the browser cannot play it.
 */
export function createPlayer({ media, draw, refused, signal }) {
  const video = el("video", {
    controls: true,
    // Its own full screen would leave the box behind.
    controlslist: "nofullscreen nodownload noremoteplayback",
    disablepictureinpicture: true,
    playsinline: true,
    preload: "metadata",
    "aria-label": media.name,
    src: media.file_url,
  });
  let wanted = null;
  let ready = false;
  const seek = () => {
    const { seconds, play } = wanted;
    video.currentTime = seconds;
    draw(seconds);
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    // A browser may want a press on its own button first.
    if (play && !calm) video.play().catch(() => {});
  };
  const giveUp = () => {
    if (signal.aborted) return;
    const seconds = video.currentTime || wanted?.seconds || 0;
    stop();
    draw(seconds);
    refused();
  };
  const stop = () => {
    video.pause();
    video.removeEventListener("error", giveUp);
    video.removeAttribute("src");
    video.load();
  };
  video.addEventListener("error", giveUp);
  video.addEventListener("loadedmetadata", () => {
    // Sound that plays without a picture is a codec that the browser does not have.
    if (!video.videoWidth) {
      giveUp();
      return;
    }
    ready = true;
    if (wanted) seek();
  });
  const follow = () => draw(video.currentTime);
  video.addEventListener("seeked", follow);
  video.addEventListener("timeupdate", follow);
  if ("requestVideoFrameCallback" in video) {
    const each = (_, { mediaTime }) => {
      if (signal.aborted) return;
      draw(mediaTime);
      video.requestVideoFrameCallback(each);
    };
    video.requestVideoFrameCallback(each);
  }
  signal.addEventListener("abort", stop);
  const show = (seconds, { play = false } = {}) => {
    wanted = { seconds, play };
    if (ready) seek();
  };
  return { element: video, controls: null, show, isFrames: false };
}
