/** A sheet on a darker desk, or the inside of a frame at the image's edge, cut out of a grey image. As the service does it. */

import { border, boxOf, components, count, cut, mapped, mean3, median, planeOf, rangeOf } from "./filters.js";

// Shares of the image, or of the sheet where the name says so.
const CALM_BORDER = 0.05; // of the border that may be of the other class without a closer look
const CALM_AREA = 0.2; // of the image that ink covers without a closer look
const MIN_CONTRAST = 24; // between sheet and desk, and between sheet and digit
const [LIGHT_SHEET, DARK_SHEET] = [0.25, 0.6]; // of the image's height and width
const QUADRILATERAL = 0.92; // shared by a sheet and the quadrilateral between its corners
const OTHER_OUTSIDE = 0.15; // of what is beside a sheet that may look like it
const WHOLE = 0.995; // a sheet as large as this is the image
const EDGE = 0.02; // of the sheet's side that is cut off, where it is not sharp
const INNER_SIDES = 3; // of a sheet's four that do not lie along the image's
const ALONG = 2; // pixels: this near, a side lies along the image's
const SHADOW = 0.35; // no shadow leaves less than this of the light
const CONTENT = 0.002; // of the sheet that has to be of another grey

/** The sheet, what is beside it painted over in the grey of its edge; null if there is none with something on it. */
export function cutOutSheet(grey) {
  const [low, high] = rangeOf(grey.data);
  const middle = Math.floor((low + high) / 2);
  if (high - low < MIN_CONTRAST || isCalm(grey, middle)) return null;
  const smooth = mean3(grey);
  const threshold = otsu(smooth);
  for (const [isLight, least] of [[true, LIGHT_SHEET], [false, DARK_SHEET]]) {
    const region = mapped(smooth, (value) => Number((value > threshold) === isLight));
    const corners = findQuadrilateral(region, least);
    if (!corners || isShadowEdge(grey, region, corners)) continue;
    const sheet = cutQuadrilateral(grey, corners);
    if (sheet) return sheet;
  }
  return null;
}

/** Whether the image, light above `middle`, is plainly some strokes on a background that reaches all its sides. */
function isCalm(grey, middle) {
  const lightShare = (values) => {
    let light = 0;
    for (let index = 0; index < values.length; index += 1) if (values[index] > middle) light += 1;
    return light / values.length;
  };
  let [edge, whole] = [lightShare(border(grey)), lightShare(grey.data)];
  if (edge < 0.5) [edge, whole] = [1 - edge, 1 - whole];
  return edge >= 1 - CALM_BORDER && whole >= 1 - CALM_AREA;
}

/** The threshold between two classes of grey with the largest variance between them (Otsu, 1979). */
function otsu({ data }) {
  const counts = new Float64Array(256);
  for (const value of data) counts[value] += 1;
  const total = counts.reduce((sum, each, level) => sum + each * level, 0);
  let [below, sum, best, threshold] = [0, 0, -1, 0];
  counts.forEach((each, level) => {
    below += each;
    sum += each * level;
    const above = data.length - below;
    const between = below * above * (sum / below - (total - sum) / above) ** 2; // not a number at either end
    if (between > best) [best, threshold] = [between, level];
  });
  return threshold;
}

/** The corners [y, x] of the largest part of a region, if it has four straight sides. */
function findQuadrilateral(region, least) {
  const { width, height } = region;
  const { labels, components: found } = components(region, { diagonal: false });
  if (!found.length) return null;
  const one = found.reduce((best, each) => (each.area > best.area ? each : best));
  if (one.height - 1 < least * height || one.width - 1 < least * width) return null;
  const largest = mapped(labels, (label) => Number(label === one.number), Uint8Array);
  const corners = cornersOf(largest);
  const inside = polygon(width, height, corners);
  const outside = width * height - count(inside);
  if (outside <= (1 - WHOLE) * width * height) return null;
  const [cy, cx] = centreOf(corners);
  const around = polygon(width, height, corners.map(([y, x]) => [y + 2 * Math.sign(y - cy), x + 2 * Math.sign(x - cx)]));
  const elsewhere = region.data.reduce((sum, value, index) => sum + (value && !around.data[index] ? 1 : 0), 0);
  if (elsewhere > OTHER_OUTSIDE * outside) return null; // pockets of paper between strokes
  const filled = withoutHoles(largest);
  let [shared, either] = [0, 0];
  inside.data.forEach((value, index) => {
    shared += value && filled.data[index];
    either += value || filled.data[index];
  });
  return shared >= QUADRILATERAL * either ? corners : null;
}

/** The outermost pixels along both diagonals, around the sheet. */
function cornersOf({ width, data }) {
  const corners = [[1, 1], [1, -1], [-1, -1], [-1, 1]].map(([down, across]) => ({ down, across, least: Infinity, at: null }));
  data.forEach((value, index) => {
    if (!value) return;
    const [x, y] = [index % width, Math.floor(index / width)];
    for (const corner of corners) {
      const along = corner.down * y + corner.across * x;
      if (along < corner.least) Object.assign(corner, { least: along, at: [y, x] });
    }
  });
  return corners.map(({ at }) => at);
}

const centreOf = (corners) => [0, 1].map((axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);

/** What lies not open to the edge of the image is filled. */
function withoutHoles(mask) {
  const { width, height } = mask;
  const { labels, components: found } = components(mapped(mask, (value) => 1 - value), { diagonal: false });
  const open = new Set(found.filter(({ left, top, right, bottom }) => !left || !top || right === width || bottom === height)
    .map(({ number }) => number));
  return mapped(labels, (label) => Number(!open.has(label)), Uint8Array);
}

function cutQuadrilateral(grey, found) {
  const centre = centreOf(found);
  const corners = found.map((corner) => corner.map((value, axis) => centre[axis] + (value - centre[axis]) * (1 - 2 * EDGE)));
  const [ys, xs] = [0, 1].map((axis) => corners.map((corner) => corner[axis]));
  const box = { top: Math.floor(Math.min(...ys)), left: Math.floor(Math.min(...xs)),
    bottom: Math.min(grey.height, Math.ceil(Math.max(...ys)) + 1), right: Math.min(grey.width, Math.ceil(Math.max(...xs)) + 1) };
  const inside = cut(polygon(grey.width, grey.height, corners), box);
  const sheet = cut(grey, box);
  const level = Math.trunc(median(sheet.data.filter((_, index) => inside.data[index])));
  const standingOut = sheet.data.filter((value, index) => inside.data[index] && Math.abs(value - level) > MIN_CONTRAST).length;
  return standingOut > CONTENT * sheet.data.length ? continued(sheet, inside) : null;
}

/** Goes on beyond each row of a convex part with the grey at its end. */
function continued(sheet, inside) {
  const { top, bottom } = boxOf(inside);
  const ends = Array.from({ length: sheet.height }, (_, y) => {
    const row = inside.data.subarray(y * sheet.width, (y + 1) * sheet.width);
    return [row.indexOf(1), row.lastIndexOf(1)];
  });
  return planeOf(sheet.width, sheet.height, (x, y) => {
    const row = Math.min(bottom - 1, Math.max(top, y));
    return sheet.data[row * sheet.width + Math.min(ends[row][1], Math.max(ends[row][0], x))];
  });
}

/** Whether what lies beside a region is the same paper with less light on it. */
function isShadowEdge(grey, region, corners) {
  if (innerSides(corners, region) >= INNER_SIDES) return false;
  const [inside, outside] = [1, 0].map((wanted) => median(grey.data.filter((_, index) => region.data[index] === wanted)));
  return Math.min(inside, outside) > SHADOW * Math.max(inside, outside);
}

/** How many of a quadrilateral's sides do not lie along a side of the image. */
const innerSides = (corners, { width, height }) => corners.filter((start, index) => {
  const end = corners[(index + 1) % corners.length];
  return ![height, width].some((length, axis) => Math.max(start[axis], end[axis]) <= ALONG
    || Math.min(start[axis], end[axis]) >= length - 1 - ALONG);
}).length;

/** The inside of a convex polygon of corners [y, x]: on one side of every edge. */
function polygon(width, height, corners) {
  const edges = corners.map(([y0, x0], index) => {
    const [y1, x1] = corners[(index + 1) % corners.length];
    return { y0, x0, down: y1 - y0, across: x1 - x0 };
  });
  return planeOf(width, height, (x, y) => {
    const sides = edges.map(({ y0, x0, down, across }) => across * (y - y0) - down * (x - x0));
    return Number(sides.every((side) => side >= 0) || sides.every((side) => side <= 0));
  });
}
