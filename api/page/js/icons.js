// Line icons, 24 x 24, drawn with the colour of the text around them.

const PATHS = {
  search: ["M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14", "m20 20-4-4"],
  people: ["M9 5a3.500 3.500 0 1 1 0 7 3.500 3.500 0 0 1 0-7", "M2.500 20c.6-3.600 3.200-5.500 6.500-5.500s5.900 1.900 6.500 5.500", "M16 5.300a3.300 3.300 0 0 1 0 6.400", "M18.200 15c1.800.8 2.900 2.500 3.300 5"],
  library: ["M4 5h16v14H4z", "M4 9h16", "M8 5v4", "M16 5v4"],
  add: ["M12 16V5", "m7 10 5-5 5 5", "M4 16v3h16v-3"],
  photo: ["M4 5h16v14H4z", "m4 16 5-5 4 4 2.500-2.500L20 17", "M15.500 8.500h.01"],
  video: ["M3 6h12v12H3z", "m15 10 6-3v10l-6-3"],
  play: ["M8 5.500v13l10.500-6.500z"],
  name: ["M4 20h4L19 9l-4-4L4 16z", "m13 7 4 4"],
  close: ["m6 6 12 12", "M18 6 6 18"],
  previous: ["m14.500 6-6 6 6 6"],
  next: ["m9.500 6 6 6-6 6"],
  full: ["M4 9V4h5", "M20 9V4h-5", "M4 15v5h5", "M20 15v5h-5"],
  filter: ["M4 6h16", "M7 12h10", "M10 18h4"],
  delete: ["M5 7h14", "M9 7V4h6v3", "m7 7 1 13h8l1-13"],
  merge: ["M6 4v4c0 4 6 4 6 8v4", "M18 4v4c0 4-6 4-6 8"],
  retry: ["M19 12a7 7 0 1 1-2-5", "M19 4v4h-4"],
  warning: ["M12 4 2.500 20h19z", "M12 10v4", "M12 17h.01"],
  face: ["M4 8V5a1 1 0 0 1 1-1h3", "M16 4h3a1 1 0 0 1 1 1v3", "M20 16v3a1 1 0 0 1-1 1h-3", "M8 20H5a1 1 0 0 1-1-1v-3", "M9 10h.01", "M15 10h.01", "M9 14.500c1.800 1.500 4.200 1.500 6 0"],
  out: ["M10 5H5v14h5", "M14 8l4 4-4 4", "M18 12H9"],
};

/** Return an icon; it is decoration, so what it stands for must be said in words beside it. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  for (const line of PATHS[name]) {
    const path = document.createElementNS(space, "path");
    path.setAttribute("d", line);
    svg.append(path);
  }
  return svg;
}
