/** Images → the forms that the networks take: planes of bytes, 28 × 28, and the steps taken. As the service does it. */

import { border, boxOf, cut, mapped, maximum, median, planeOf, rangeOf, rounded } from "./filters.js";
import { InvalidImage } from "./errors.js";
import { MIN_CONTRAST, blank, findInk } from "./ink.js";
import { resize } from "./resample.js";

export const SIDE = 28;
const INK_SIDE = 20;
const STROKE_WIDTH = 2.1; // MNIST's, in pixels of the 20 × 20 box
const THIN = 1.3;
const LIKE_THE_BACKGROUND = 13; // greys: five hundredths of the scale, as for Fashion-MNIST

const isSquare = ({ width, height }) => width === SIDE && height === SIDE;
const isDark = (grey) => {
  const edge = border(grey);
  return 2 * edge.filter((value) => value < 128).length > edge.length;
};

/** A digit as in MNIST: cropped, scaled by area, its centre of mass in the middle. InvalidImage: blank, or several digits. */
export function normalizeDigit(grey) {
  if (isSquare(grey) && isDark(grey)) {
    const [low, high] = rangeOf(grey.data);
    if (high - low < MIN_CONTRAST) throw new InvalidImage(blank(low, high));
    return { image: grey, steps: [] };
  }
  let { ink, steps } = findInk(grey);
  const growth = growthOf(ink);
  if (growth) {
    ink = maximum(planeOf(ink.width + 2 * growth, ink.height + 2 * growth, (x, y) => {
      const [u, v] = [x - growth, y - growth];
      return u >= 0 && v >= 0 && u < ink.width && v < ink.height ? ink.data[v * ink.width + u] : 0;
    }), growth);
    steps = [...steps, "thickened"];
  }
  return { image: centred(scaled(ink)), steps: [...steps, "cropped", "centred"] };
}

/** The same with any image: what shows no one digit is fitted into the square as it is. */
export function fitDigit(grey) {
  try {
    return normalizeDigit(grey);
  } catch (error) {
    if (!(error instanceof InvalidImage)) throw error;
  }
  return isDark(grey) ? setIntoSquare(grey, []) : setIntoSquare(inverted(grey), ["inverted"]);
}

/** Clothing as in Fashion-MNIST: light on black, cropped to what stands out. */
export function normalizeClothing(image) {
  let [grey, level, steps] = [image, Math.trunc(median(border(image))), []];
  if (level >= 128) [grey, level, steps] = [inverted(grey), 255 - level, ["inverted"]];
  if (!isSquare(grey)) {
    const box = boxOf(mapped(grey, (value) => Number(Math.abs(value - level) > LIKE_THE_BACKGROUND)));
    const part = box ? cut(grey, box) : grey; // a blank image stays whole
    if (part.width !== grey.width || part.height !== grey.height) steps = [...steps, "cropped"];
    grey = mapped(part, (value) => Math.max(0, value - level)); // black is where nothing is
  }
  return setIntoSquare(grey, steps);
}

const inverted = (grey) => mapped(grey, (value) => 255 - value);

/** The longest side scaled to 28 pixels, in the middle of black. */
function setIntoSquare(grey, steps) {
  let image = grey;
  const longest = Math.max(grey.width, grey.height);
  if (!isSquare(grey)) {
    const share = SIDE / longest;
    const [width, height] = [grey.width, grey.height].map((length) => Math.max(1, rounded(length * share)));
    if (width !== grey.width || height !== grey.height) image = resize(grey, width, height, share < 1 ? "box" : "bilinear");
    steps = [...steps, "fitted"];
  }
  const canvas = planeOf(SIDE, SIDE);
  place(image, canvas, Math.floor((SIDE - image.width) / 2), Math.floor((SIDE - image.height) / 2));
  return { image: canvas, steps };
}

function place({ width, height, data }, canvas, left, top) {
  for (let y = 0; y < height; y += 1) canvas.data.set(data.subarray(y * width, (y + 1) * width), (y + top) * canvas.width + left);
}

/** How many pixels thin strokes must grow on each side to look like MNIST's. */
function growthOf(ink) {
  const { width, height } = ink;
  const half = Math.floor(rangeOf(ink.data)[1] / 2);
  const isInk = mapped(ink, (value) => Number(value > half));
  let [changes, area] = [0, 0];
  isInk.data.forEach((value, index) => {
    area += value;
    if (index % width && value !== isInk.data[index - 1]) changes += 1;
    if (index >= width && value !== isInk.data[index - width]) changes += 1;
  });
  const ends = border(isInk).filter(Boolean).length; // here the ink's outline is the image's
  const cell = Math.max(width, height) / INK_SIDE;
  const stroke = 2 * area / (Math.PI / 4 * (changes + ends)) / cell;
  return stroke < THIN ? rounded((STROKE_WIDTH - stroke) * cell / 2) : 0;
}

/** To 20 × 20 by area, the lightest pixel 255. */
function scaled(ink) {
  const side = Math.max(ink.width, ink.height);
  const rows = coverage(ink.height, side);
  const columns = coverage(ink.width, side);
  const between = planeOf(ink.width, INK_SIDE, (x, y) => weighted(rows[y], ink.data, x, ink.width), Float32Array);
  const small = planeOf(INK_SIDE, INK_SIDE, (x, y) => weighted(columns[x], between.data, y * ink.width, 1), Float32Array);
  const factor = Math.fround(255 / rangeOf(small.data)[1]);
  return mapped(small, (value) => rounded(Math.fround(value * factor)), Uint8Array);
}

/** The sum of the shares times the values from `start` on, each `step` further. */
function weighted({ first, shares }, values, start, step) {
  let sum = 0;
  for (let index = 0; index < shares.length; index += 1) sum += shares[index] * values[start + (first + index) * step];
  return sum;
}

/** The share of each of 20 cells that each of `length` pixels, centred in `side`, covers, from the first that it does. */
function coverage(length, side) {
  const start = Math.floor((side - length) / 2);
  return Array.from({ length: INK_SIDE }, (_, cell) => {
    const [from, to] = [cell, cell + 1].map((each) => each * (side / INK_SIDE));
    const first = Math.max(0, Math.floor(from) - start);
    const shares = Float32Array.from({ length: Math.max(0, Math.min(length, Math.ceil(to) - start) - first) }, (__, index) => {
      const left = start + first + index;
      return Math.max(Math.min(to, left + 1) - Math.max(from, left), 0) * (INK_SIDE / side);
    });
    return { first, shares };
  });
}

/** Into 28 × 28, the centre of mass in the middle, losing no ink. */
function centred(small) {
  const box = boxOf(small);
  const sums = [[], []]; // of rows, of columns
  small.data.forEach((value, index) => {
    const [x, y] = [index % INK_SIDE, Math.floor(index / INK_SIDE)];
    sums[0][y] = (sums[0][y] ?? 0) + value;
    sums[1][x] = (sums[1][x] ?? 0) + value;
  });
  const [down, across] = [shiftOf(sums[0], box.top, box.bottom), shiftOf(sums[1], box.left, box.right)];
  const canvas = planeOf(SIDE, SIDE);
  place(cut(small, box), canvas, box.left + across, box.top + down);
  return canvas;
}

function shiftOf(masses, first, end) {
  const total = masses.reduce((sum, mass) => sum + mass, 0);
  const centre = masses.reduce((sum, mass, index) => sum + mass * (index + 0.5), 0) / total;
  return Math.min(Math.max(Math.trunc(SIDE / 2 + 1 - centre), -first), SIDE - end);
}
