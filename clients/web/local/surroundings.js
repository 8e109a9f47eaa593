/** Ink that is not the digit: margins, frames, ruled lines, an underline. As the service does it; sees the mask of the ink. */

import { boxOf, columnCounts, components, count, cut, mapped, median, partOf, percentile, transposed } from "./filters.js";
import { LEAST_REST, SCRAP, SPAN, THIN, drawnSides, withoutTouchingLines } from "./printed_lines.js";

// Shares of the image, or of the rest of the ink.
const LONGER = 1.3; // a line beside the rest, by the rest's size in its direction
const INTO = 0.15; // how far an aslant underline may reach up beside the rest, by its height
const BAND = 0.06; // at a side: a margin lies in it
const LEAST_INSIDE = 0.2; // of a frame's height
const EDGE = 0.03; // of the image: what begins so near to its edge begins beyond it
const MOST_STROKES = 6;
const COVERED = 0.8; // ink over more than this is no digit

/** Without margins, frames and lines; the mask itself if there is nothing to remove. */
export function dropSurroundings(mask, ink) {
  const rest = withoutSeparate(mask);
  return withoutScraps(withoutTouchingLines(rest, ink) ?? rest);
}

/** Whether ink covers so much of a mask that is about square that it is no digit. */
export function isCovered(mask) {
  const { width, height } = mask;
  return count(mask) > COVERED * width * height && Math.max(width, height) < 1.6 * Math.min(width, height);
}

/** Without components that surround the others or are lines beside them. */
function withoutSeparate(mask) {
  const { labels, components: found } = components(mask);
  if (found.length < 2) return mask;
  const around = found.filter((one) => isAround(one, mask, labels));
  const rest = found.filter((one) => !around.includes(one));
  const lines = rest.filter((one) => isLine(one, labels));
  const others = rest.filter((one) => !lines.includes(one) && isLarge(one, mask));
  if (others.length) around.push(...lines.filter((one) => isBeside(one, others, lines, mask)));
  const kept = found.filter((one) => !around.includes(one));
  if (!around.length || !kept.some((one) => isLarge(one, mask))) return mask;
  const numbers = new Set(kept.map(({ number }) => number));
  return mapped(labels, (label) => Number(numbers.has(label)), Uint8Array);
}

/** Without small pieces, if there are many: what is left of lines; a digit has few strokes. */
function withoutScraps(mask) {
  const { labels, components: found } = components(mask);
  if (found.length <= MOST_STROKES) return mask;
  const largest = Math.max(...found.map(({ area }) => area));
  const kept = new Set(found.filter(({ area }) => area >= SCRAP * largest).map(({ number }) => number));
  return found.length - kept.size >= MOST_STROKES ? mapped(labels, (label) => Number(kept.has(label)), Uint8Array) : mask;
}

const isLarge = (one, { width, height }) => one.height >= LEAST_REST * height || one.width >= LEAST_REST * width;

/** A frame, a grid or a margin: what is large and hollow, or lies along a side of the image. */
function isAround(one, mask, labels) {
  const { width, height } = mask;
  if (isMargin(one, mask)) return true;
  if (one.area > 0.5 * one.height * one.width) return false;
  const spans = one.height >= SPAN * height && one.width >= SPAN * width;
  if (spans && !one.top && !one.left && one.bottom === height && one.right === width) return hasContent(one, labels);
  const drawn = drawnSides(partOf(labels, one));
  const beyond = sidesAtEdge(one, mask).filter((side) => !drawn.includes(side)); // where it may go on
  return drawn.length >= 3 && drawn.length + beyond.length === 4 && hasContent(one, labels);
}

const sidesAtEdge = (one, { width, height }) => Object.entries({
  top: one.top === 0, bottom: one.bottom === height, left: one.left === 0, right: one.right === width,
}).flatMap(([side, isThere]) => (isThere ? [side] : []));

function isMargin(one, { width, height }) {
  const alongRow = one.width >= 0.3 * width
    && ((one.top === 0 && one.bottom <= BAND * height) || (one.bottom === height && one.top >= (1 - BAND) * height));
  const alongColumn = one.height >= 0.3 * height
    && ((one.left === 0 && one.right <= BAND * width) || (one.right === width && one.left >= (1 - BAND) * width));
  return alongRow || alongColumn;
}

/** Whether another component of some size lies inside the box of this one. */
function hasContent(one, labels) {
  const box = boxOf(mapped(cut(labels, one), (label) => Number(label > 0 && label !== one.number), Uint8Array));
  return box !== null && box.bottom - 1 - box.top >= LEAST_INSIDE * one.height;
}

/** Whether a component is thin, straight and roughly horizontal or vertical. */
function isLine(one, labels) {
  const found = partOf(labels, one);
  const part = one.height > one.width ? transposed(found) : found;
  const length = part.width;
  const columns = columnCounts(part);
  const places = columns.flatMap((each, x) => (each ? [x] : []));
  if (places.length < 0.95 * length) return false;
  const centres = places.map((x) => {
    let sum = 0;
    for (let y = 0; y < part.height; y += 1) sum += part.data[y * length + x] * y;
    return sum / columns[x];
  });
  const [slope, start] = length > 2 ? lineThrough(places, centres) : [0, 0];
  const off = places.map((x, index) => Math.abs(centres[index] - (slope * x + start)));
  const thickness = median(places.map((x) => columns[x]));
  const isStraight = percentile(off, 95) <= Math.max(1.5, 0.015 * length);
  return Math.abs(slope) < 0.2 && isStraight && thickness <= Math.max(2, THIN * length);
}

function lineThrough(xs, ys) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  const spread = xs.reduce((sum, x) => sum + (x - mx) ** 2, 0);
  const slope = spread ? xs.reduce((sum, x, index) => sum + (x - mx) * (ys[index] - my), 0) / spread : 0;
  return [slope, my - slope * mx];
}

/** Whether a line is ruled paper, a margin line or an underline rather than a stroke. */
function isBeside(line, others, lines, { width, height }) {
  const [top, bottom] = [Math.min(...others.map((one) => one.top)), Math.max(...others.map((one) => one.bottom))];
  const [left, right] = [Math.min(...others.map((one) => one.left)), Math.max(...others.map((one) => one.right))];
  if (line.width > line.height) {
    const spans = line.width >= SPAN * width;
    const parallel = lines.filter((one) => one.width >= SPAN * width).length;
    const isBelow = line.top >= bottom - INTO * (bottom - top);
    // A stroke above may be the bar of a 5; below the rest there is none so long.
    const longer = line.width >= (isBelow ? 1 : LONGER) * (right - left);
    return (spans && parallel > 1) || ((isBelow || line.bottom <= top) && longer);
  }
  const spans = line.height >= SPAN * height;
  const parallel = lines.filter((one) => one.height >= SPAN * height).length;
  // A 1 beside another digit is a digit, and a 4 has its stem at the right; only what goes from edge to edge is a margin line.
  const atEdges = line.top <= EDGE * height && line.bottom >= (1 - EDGE) * height;
  const longer = atEdges && line.height >= LONGER * (bottom - top);
  return (spans && parallel > 1) || ((line.left >= right || line.right <= left) && longer);
}
