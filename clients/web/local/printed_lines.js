/** Lines that touch the digit, or are a frame around it: ruled and squared paper, the cells of a form. As the service does it. */

import { alongColumns, alongRows, boxOf, columnCounts, components, count, cut, mapped, maximum, median, partOf, percentile, planeOf, rounded, rowCounts,
  transposed } from "./filters.js";

// Shares of the image, or of what the name says.
export const THIN = 0.08; // a line's thickness, by its length
export const LEAST_REST = 0.12; // of the height or width
export const SPAN = 0.9; // from one side to the other
export const SCRAP = 0.1; // of the largest piece's area
const FRAME_SIDE = 0.8; // of a frame's side that is drawn
const DARKER = 24; // grey levels between a stroke and a lighter line under it
const MUCH_LONGER = 1.5; // a line that touches the rest, by the rest's size in its direction
const LEAST_LINE = 0.55; // of the image: ink that is smaller has no line across it
const SEGMENT = 8; // a line is looked for in pieces of an eighth of the side
const SLOPE = 0.2; // rows that a line across may rise or fall by, by its length
const NEAR = 0.05; // of the image: a line that ends so near to another one meets it

/** The sides of its box that a component lies along. */
export function drawnSides(part) {
  const { width, height } = part;
  const [down, across] = [height, width].map((length) => Math.max(2, rounded(THIN * length)));
  const isDrawn = (counts) => counts.filter(Boolean).length >= FRAME_SIDE * counts.length;
  const band = (box) => cut(part, { left: 0, top: 0, right: width, bottom: height, ...box });
  return Object.entries({
    top: columnCounts(band({ bottom: Math.min(height, down) })), bottom: columnCounts(band({ top: Math.max(0, height - down) })),
    left: rowCounts(band({ right: Math.min(width, across) })), right: rowCounts(band({ left: Math.max(0, width - across) })),
  }).flatMap(([side, counts]) => (isDrawn(counts) ? [side] : []));
}

/** Without lines that touch the rest, or that are a frame around it; null if there are none. */
export function withoutTouchingLines(mask, ink) {
  const { width, height } = mask;
  const used = Math.max(rowCounts(mask).filter(Boolean).length / height, columnCounts(mask).filter(Boolean).length / width);
  if (used < LEAST_LINE) return null;
  const box = boxOf(mask);
  const inked = cut(mask, box);
  const back = (lines) => planeOf(width, height, (x, y) => {
    const isInside = x >= box.left && x < box.right && y >= box.top && y < box.bottom;
    return isInside ? lines.data[(y - box.top) * lines.width + x - box.left] : 0;
  });
  const [flat, upright] = [longLines(inked), transposed(longLines(transposed(inked)))].map(back);
  const lines = mapped(flat, (value, index) => value | upright.data[index]);
  if (!count(lines)) return null;
  const near = maximum(lines, 1);
  const rest = mainPart(mapped(mask, (value, index) => Number(value && !near.data[index])));
  if (!count(rest)) return null;
  const isFramed = drawnSides(inked).length >= 3;
  const across = foreign(flat, rest, { isFramed });
  const sidesOfCells = between(upright, across, rest);
  const foreignUpright = transposed(foreign(transposed(upright), transposed(rest), { isFramed, oneIsEnough: false }));
  const down = transposed(mapped(foreignUpright, (value, index) => value | sidesOfCells.data[index]));
  if (!count(across) && !count(down)) return null;
  const cleaned = erased(transposed(erased(transposed(mask), transposed(ink), down)), ink, across);
  const left = boxOf(cleaned);
  if (!left) return null;
  const size = Math.max((left.bottom - 1 - left.top) / height, (left.right - 1 - left.left) / width);
  return size >= LEAST_REST ? cleaned : null;
}

/** Pixels of thin horizontal lines over half of the width and more of ink cropped to its box. */
function longLines(mask) {
  const { width } = mask;
  const thick = alongColumns(mask, 1, 1); // so that runs follow a thin line that is aslant
  const { labels, components: found } = components(opened(thick, Math.max(5, Math.floor(width / SEGMENT)) + 2));
  const isLine = (one) => {
    if (one.width < 0.5 * width) return false;
    const part = partOf(labels, one);
    const [first, last] = [0, part.width - 1].map((x) => part.data.findIndex((value, index) => value && index % part.width === x));
    return Math.abs(Math.floor(last / part.width) - Math.floor(first / part.width)) <= SLOPE * one.width
      && median(columnCounts(part)) - 2 <= Math.max(3, THIN * one.width);
  };
  const lines = new Set(found.filter(isLine).map(({ number }) => number));
  return mapped(labels, (label) => Number(lines.has(label)), Uint8Array);
}

/** Runs along the rows that have at least this length. */
function opened(mask, length) {
  const before = Math.floor(length / 2);
  const after = length - before - 1;
  const shrunk = alongRows(mask, before, after, -1, 0);
  return alongRows(shrunk, after, before); // the other way, so that an even length does not shift
}

/**
 * Those horizontal lines that are no strokes of the rest, by how far they go beyond it.
 *
 * `oneIsEnough`: a single line that is much longer than the rest is none (an underline); among upright ones it may be a stem.
 */
function foreign(lines, rest, { isFramed, oneIsEnough = true }) {
  const { labels, components: found } = components(lines);
  const box = boxOf(rest);
  const spanning = found.filter((one) => one.width >= SPAN * lines.width);
  const chosen = planeOf(lines.width, lines.height);
  for (const one of found) {
    const part = partOf(labels, one);
    const thickness = columnCounts(part);
    // The bar of a 7 or a 5 is long, too, but ends with the rest at one side; a stroke aslant reaches further by what
    // was removed of it with the line.
    const beyond = Math.max(0.04 * lines.width, typical(thickness) + 2);
    const isBeyond = one.left + beyond <= box.left && one.right - beyond > box.right - 1;
    const isLonger = oneIsEnough && one.width >= MUCH_LONGER * (box.right - box.left);
    const isRuled = spanning.length > 1 && spanning.includes(one);
    const isSide = isFramed && (one.top <= box.top || one.bottom > box.bottom - 1);
    if (!(isBeyond && (isLonger || isRuled)) && !isSide) continue;
    const most = 2 * typical(thickness) + 1; // where it is much thicker, a stroke lies along it
    part.data.forEach((value, index) => {
      const [x, y] = [index % part.width, Math.floor(index / part.width)];
      if (value && thickness[x] <= most) chosen.data[(y + one.top) * lines.width + x + one.left] = 1;
    });
  }
  return chosen;
}

/** What is usual along a line, also if a stroke lies along more than half of it. */
const typical = (values) => percentile(values, 25);

/** Those upright lines beside the rest that end at lines across, or at the image's edge: a cell's sides. */
function between(upright, flat, rest) {
  const chosen = planeOf(upright.width, upright.height);
  if (!count(flat)) return chosen;
  const near = Math.max(3, rounded(NEAR * upright.height));
  const box = boxOf(rest);
  const { labels, components: found } = components(upright);
  for (const one of found) {
    const part = { left: Math.max(0, one.left - near), right: Math.min(upright.width, one.right + near), top: 0, bottom: upright.height };
    const crossing = rowCounts(cut(flat, part)).flatMap((each, y) => (each ? [y] : []));
    if (!crossing.length) continue;
    const ends = [0, upright.height - 1, ...crossing];
    const isHeld = [one.top, one.bottom - 1].every((end) => ends.some((each) => Math.abs(each - end) <= near));
    if (!isHeld || (one.right > box.left && one.left < box.right)) continue;
    labels.data.forEach((label, index) => { if (label === one.number) chosen.data[index] = 1; });
  }
  return chosen;
}

/** Only the pieces that are not small beside the largest one: no ends of lines. */
function mainPart(mask) {
  const { labels, components: found } = components(mask);
  const largest = Math.max(...found.map(({ area }) => area));
  const kept = new Set(found.filter(({ area }) => area > SCRAP * largest).map(({ number }) => number));
  return mapped(labels, (label) => Number(kept.has(label)), Uint8Array);
}

/** Without horizontal lines, except where a stroke crosses them: it goes on above and below, or is darker. */
function erased(mask, ink, lines) {
  if (!count(lines)) return mask;
  const { width, height } = mask;
  const near = alongColumns(lines, 1, 1);
  const rest = mapped(mask, (value, index) => Number(value && !near.data[index]));
  const thickness = Math.trunc(typical(columnCounts(lines).filter(Boolean)));
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
  const level = typical(peaks);
  const darker = level + Math.max(DARKER, 0.25 * level);
  return mapped(mask, (value, index) =>
    Number(rest.data[index] || (value && (closed.data[index + reach * width] || ink.data[index] > darker))));
}
