/** Ink that is not the digit: margins, frames, ruled lines, an underline. As the service does it; sees the mask of the ink. */

import { alongColumns, alongRows, boxOf, columnCounts, components, count, cut, mapped, maximum, median, partOf, percentile, planeOf, rounded,
  rowCounts, transposed } from "./filters.js";

// Shares of the image, or of the rest of the ink.
const DARKER = 24; // grey levels between a stroke and a lighter line under it
const SPAN = 0.9; // from one side to the other
const THIN = 0.08; // a line's thickness, by its length
const LONGER = 1.3; // a line beside the rest, by the rest's size in its direction
const INTO = 0.15; // how far an aslant underline may reach up beside the rest, by its height
const MUCH_LONGER = 1.5; // the same for a line that touches the rest
const LEAST_LINE = 0.55; // of the image: ink that is smaller has no line across it
const BAND = 0.06; // at a side: a margin lies in it
const LEAST_REST = 0.12; // of the height or width
const LEAST_INSIDE = 0.2; // of a frame's height
const FRAME_SIDE = 0.8; // of a frame's side that is drawn
const SEGMENT = 8; // a line is looked for in pieces of an eighth of the side
const COVERED = 0.8; // ink over more than this is no digit

/** Without margins, frames and lines; the mask itself if there is nothing to remove. */
export function dropSurroundings(mask, ink) {
  const rest = withoutSeparate(mask);
  return withoutTouching(rest, ink) ?? rest;
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

const isLarge = (one, { width, height }) => one.height >= LEAST_REST * height || one.width >= LEAST_REST * width;

/** A frame, a grid or a margin: what is large and hollow, or lies along a side of the image. */
function isAround(one, mask, labels) {
  const { width, height } = mask;
  if (isMargin(one, mask)) return true;
  if (one.area > 0.5 * one.height * one.width) return false;
  const spans = one.height >= SPAN * height && one.width >= SPAN * width;
  if (spans && !one.top && !one.left && one.bottom === height && one.right === width) return hasContent(one, labels);
  return drawnSides(partOf(labels, one)) === 4 && hasContent(one, labels);
}

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

/** How many sides of its box a component lies along. */
function drawnSides(part) {
  const { width, height } = part;
  const [down, across] = [height, width].map((length) => Math.max(2, rounded(THIN * length)));
  const isDrawn = (counts) => counts.filter(Boolean).length >= FRAME_SIDE * counts.length;
  const band = (box) => cut(part, { left: 0, top: 0, right: width, bottom: height, ...box });
  return [
    columnCounts(band({ bottom: Math.min(height, down) })), columnCounts(band({ top: Math.max(0, height - down) })),
    rowCounts(band({ right: Math.min(width, across) })), rowCounts(band({ left: Math.max(0, width - across) })),
  ].filter(isDrawn).length;
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
  // A 1 beside another digit is a digit; only what spans the image is a margin line.
  const longer = spans && line.height >= LONGER * (bottom - top);
  return (spans && parallel > 1) || ((line.left >= right || line.right <= left) && longer);
}

/** Without lines that touch the rest, or that are a frame around it; null if there are none. */
function withoutTouching(mask, ink) {
  const { width, height } = mask;
  const used = Math.max(rowCounts(mask).filter(Boolean).length / height, columnCounts(mask).filter(Boolean).length / width);
  if (used < LEAST_LINE) return null;
  const [flat, upright] = [longLines(mask), transposed(longLines(transposed(mask)))];
  const lines = mapped(flat, (value, index) => value | upright.data[index]);
  if (!count(lines)) return null;
  const near = maximum(lines, 1);
  const rest = mapped(mask, (value, index) => Number(value && !near.data[index]));
  if (!count(rest)) return null;
  const isFramed = drawnSides(cut(mask, boxOf(mask))) >= 3;
  const across = foreign(flat, rest, isFramed);
  const down = foreign(transposed(upright), transposed(rest), isFramed);
  if (!count(across) && !count(down)) return null;
  const cleaned = erased(transposed(erased(transposed(mask), transposed(ink), down)), ink, across);
  const box = boxOf(cleaned);
  if (!box) return null;
  const size = Math.max((box.bottom - 1 - box.top) / height, (box.right - 1 - box.left) / width);
  return size >= LEAST_REST ? cleaned : null;
}

/** Pixels of thin horizontal lines over half of the ink's width and more. */
function longLines(mask) {
  const box = boxOf(mask);
  if (!box) return mask;
  const width = box.right - box.left;
  const { labels, components: found } = components(opened(mask, Math.max(5, Math.floor(width / SEGMENT))));
  const lines = new Set(found.filter((one) => one.width >= 0.5 * width
    && median(columnCounts(partOf(labels, one))) <= Math.max(3, THIN * one.width)).map(({ number }) => number));
  return mapped(labels, (label) => Number(lines.has(label)), Uint8Array);
}

/** Runs along the rows that have at least this length. */
function opened(mask, length) {
  const before = Math.floor(length / 2);
  const after = length - before - 1;
  const shrunk = alongRows(mask, before, after, -1, 0);
  return alongRows(shrunk, after, before); // the other way, so that an even length does not shift
}

/** Those horizontal lines that are no strokes of the rest, by how far they go beyond it. */
function foreign(lines, rest, isFramed) {
  const { labels, components: found } = components(lines);
  const box = boxOf(rest);
  const spanning = found.filter((one) => one.width >= SPAN * lines.width);
  const beyond = 0.04 * lines.width;
  const chosen = planeOf(lines.width, lines.height);
  for (const one of found) {
    const isLonger = one.width >= MUCH_LONGER * (box.right - box.left);
    const isRuled = spanning.length > 1 && spanning.includes(one) && one.left + beyond <= box.left && one.right - beyond > box.right - 1;
    const isSide = isFramed && (one.top <= box.top || one.bottom > box.bottom - 1);
    if (!isLonger && !isRuled && !isSide) continue;
    const part = partOf(labels, one);
    const thickness = columnCounts(part);
    const most = 2 * median(thickness) + 1; // where it is much thicker, a stroke lies along it
    part.data.forEach((value, index) => {
      const [x, y] = [index % part.width, Math.floor(index / part.width)];
      if (value && thickness[x] <= most) chosen.data[(y + one.top) * lines.width + x + one.left] = 1;
    });
  }
  return chosen;
}

/** Without horizontal lines, except where a stroke crosses them: it goes on above and below, or is darker. */
function erased(mask, ink, lines) {
  if (!count(lines)) return mask;
  const { width, height } = mask;
  const near = alongColumns(lines, 1, 1);
  const rest = mapped(mask, (value, index) => Number(value && !near.data[index]));
  const thickness = Math.trunc(median(columnCounts(lines).filter(Boolean)));
  const reach = 2 * Math.min(thickness, 12) + 5;
  const radius = (reach - 1) / 2;
  const padded = planeOf(width, height + 2 * reach, (x, y) => rest.data[(y - reach) * width + x] ?? 0);
  const closed = alongColumns(alongColumns(padded, radius, radius), radius, radius, -1);
  const peaks = columnCounts(lines).flatMap((each, x) => {
    if (!each) return [];
    let peak = 0;
    for (let y = 0; y < height; y += 1) if (lines.data[y * width + x]) peak = Math.max(peak, ink.data[y * width + x]);
    return [peak];
  });
  const level = median(peaks);
  const darker = level + Math.max(DARKER, 0.25 * level);
  return mapped(mask, (value, index) =>
    Number(rest.data[index] || (value && (closed.data[index + reach * width] || ink.data[index] > darker))));
}
