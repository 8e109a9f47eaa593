/** An image of something drawn → its ink alone, light on black, cropped: { ink, steps }. As the service does it. */

import { border, boxOf, cut, mapped, maximum, mean3, median, minimum, percentile, planeOf, rangeOf, transposed } from "./filters.js";
import { InvalidImage } from "./errors.js";
import { reduce, resize } from "./resample.js";
import { cutOutSheet } from "./sheet.js";
import { digitStrokes } from "./strokes.js";
import { dropSurroundings, isCovered } from "./surroundings.js";

const LONGEST_SIDE = 300;
export const MIN_CONTRAST = 16;
const MIN_SIZE = 0.03; // of the image's longer side; anything smaller is dirt
const EVEN = 6; // grey levels that compression may add to an even background
const EVEN_SHARE = 0.9; // of the border's background; what is plainly ink may touch the border
const MOST_INK = 0.35; // of the border; where more of it is of another grey, it is no ink
const PLAINLY_INK = 0.3; // of the strongest contrast
const THUMBNAIL = 120;
const ABOVE_NOISE = 11; // standard deviations of the noise that ink stands out at least
const BUSY = 48; // grey levels between light and dark, shadows taken out: paper where nothing is drawn has fewer
const BLANK = "the image is blank: no digit was found";
/** What is said of an image whose grey levels are from low to high; a few levels may be another scale. */
export const blank = (low, high) => (low === high ? BLANK
  : `${BLANK} (its grey levels are ${low} to ${high}, of 0 = black to 255 = white)`);
const INSEPARABLE = "the digit must be separate from its surroundings: crop the image to the digit";
const PHOTO = "the image must show one digit on a plain background, got a photo or a pattern";

/** `grey`: a plane of bytes of any size. InvalidImage: it is blank or shows several digits. */
export function findInk(image) {
  const factor = Math.ceil(Math.max(image.width, image.height) / LONGEST_SIDE);
  const grey = factor === 1 ? image : reduce(image, factor);
  const found = withoutSurroundings(grey);
  let { ink, steps } = found;
  const box = boxOf(found.mask);
  if (!box) throw new InvalidImage(BLANK);
  const mask = cut(found.mask, box);
  let strokes = digitStrokes(mask, steps.includes("cleaned"));
  if (strokes) steps = [...steps.filter((step) => step !== "cleaned"), "cleaned"];
  else if (steps.includes("cleaned")) strokes = mask;
  ink = cut(ink, box);
  if (strokes) ink = cut(onlyWhere(maximum(strokes, 2), ink), boxOf(strokes));
  if (Math.max(ink.width, ink.height) < Math.max(3, MIN_SIZE * Math.max(grey.width, grey.height))) throw new InvalidImage(BLANK);
  return { ink, steps };
}

const onlyWhere = (mask, ink) => mapped(ink, (value, index) => (mask.data[index] ? value : 0));

function withoutSurroundings(grey) {
  const sheet = cutOutSheet(grey);
  const { ink, threshold, steps } = lift(sheet ?? grey);
  const mask = mapped(ink, (value) => Number(value > threshold));
  const digit = dropSurroundings(mask, ink);
  if (isCovered(digit)) throw new InvalidImage(INSEPARABLE);
  if (!sheet && digit === mask) return { ink, mask, steps };
  return { ink: onlyWhere(maximum(digit, 1), ink), mask: digit, steps: [...steps, "cleaned"] };
}

/** Ink above its background, and the level from which it counts as ink when looking for it. */
function lift(grey) {
  const frame = border(grey);
  const level = Uint8Array.from(frame).sort()[Math.floor(frame.length / 2)];
  const [low, high] = rangeOf(grey.data);
  const [above, below] = [high - level, level - low];
  const peak = Math.max(above, below);
  const sign = above >= below ? 1 : -1;
  if (!isEven(frame.map((value) => (value - level) * sign), peak)) return liftOffPaper(grey);
  if (peak < MIN_CONTRAST) throw new InvalidImage(blank(low, high));
  const ink = mapped(grey, (value) => Math.max(0, below > above ? level - value : value - level));
  return { ink, threshold: Math.max(0.1 * peak, EVEN), steps: below > above ? ["inverted"] : [] };
}

/** An even background, and no paper: a stroke that touches the border, and its soft edge, are no unevenness. */
function isEven(towardsInk, peak) {
  const more = (least) => towardsInk.filter((value) => value > least).length;
  const plain = more(Math.max(EVEN, PLAINLY_INK * peak));
  if (plain > MOST_INK * towardsInk.length) return false; // half of it lies in a shadow
  const soft = more(EVEN) - plain;
  const uneven = towardsInk.filter((value) => value < -EVEN).length + Math.max(0, soft - plain);
  return uneven <= (1 - EVEN_SHARE) * (towardsInk.length - plain);
}

/** Off an uneven, noisy background: what is left when strokes are filled up is the paper. */
function liftOffPaper(grey) {
  const factor = Math.max(1, Math.ceil(Math.max(grey.width, grey.height) / THUMBNAIL));
  const small = mapped(reduce(grey, factor), (value) => value, Float32Array);
  const isDark = isInkDark(small);
  const level = filled(median3(small), isDark);
  const paper = resize(level, grey.width, grey.height, "bilinear", [grey.width / factor, grey.height / factor]);
  const [, brightest] = rangeOf(paper.data);
  // Dark ink leaves a share of the light, wherever it falls; light ink adds to a dark ground.
  const lifted = mean3(mapped(paper, (value, index) =>
    (isDark ? Math.fround(value - grey.data[index]) * Math.fround(brightest / Math.max(value, 32)) : grey.data[index] - value)));
  const sample = lifted.data.filter((_, index) => index % grey.width % 4 === 0 && Math.floor(index / grey.width) % 4 === 0);
  const middle = Math.fround(median(sample)); // filling up strokes fills up the noise, too
  const noise = 1.4826 * Math.fround(median(sample.map((value) => Math.abs(value - middle))));
  const [, highest] = rangeOf(lifted.data);
  const peak = Math.fround(highest - middle);
  if (peak < Math.max(MIN_CONTRAST, ABOVE_NOISE * noise)) {
    const surface = smoothSurface(small);
    const rest = small.data.map((value, index) => value - surface.data[index]);
    throw new InvalidImage(percentile(rest, 95) - percentile(rest, 5) > BUSY ? PHOTO : BLANK);
  }
  const ink = mapped(lifted, (value) => Math.min(255, Math.max(0, value - middle - 2 * noise)), Uint8Array);
  return { ink, threshold: Math.max(0.3 * peak, 5 * noise) - 2 * noise, steps: isDark ? ["inverted", "cleaned"] : ["cleaned"] };
}

/** Whether what is narrow is darker than what is around it: ink is the long tail of the differences. */
function isInkDark(small) {
  const window = Math.max(3, Math.floor(2 * Math.min(small.width, small.height) / 5) | 1);
  const around = transposed(meanOf(transposed(meanOf(small, window)), window));
  return small.data.reduce((sum, value, index) => sum + (value - around.data[index]) ** 3, 0) < 0;
}

/** The mean in a window along each row, mirrored at the edge. */
function meanOf({ width, height, data }, window) {
  const radius = (window - 1) / 2;
  return planeOf(width, height, (x, y) => {
    let sum = 0;
    for (let at = x - radius; at <= x + radius; at += 1) sum += data[y * width + mirrored(at, width)];
    return sum / window;
  }, Float32Array);
}

/** The median of three by three, mirrored at the edge. */
const median3 = ({ width, height, data }) => planeOf(width, height, (x, y) => {
  const values = [];
  for (let v = y - 1; v <= y + 1; v += 1) for (let u = x - 1; u <= x + 1; u += 1) values.push(data[mirrored(v, height) * width + mirrored(u, width)]);
  return values.sort((one, other) => one - other)[4];
}, Float32Array);

const mirrored = (place, length) => {
  const at = ((place % (2 * length)) + 2 * length) % (2 * length);
  return Math.min(at, 2 * length - 1 - at);
};

/** A quadratic surface through most of a plane, leaving what sticks out (ink). */
function smoothSurface(small) {
  const { width, height, data } = small;
  const tick = (index, length) => (length < 2 ? -1 : -1 + 2 * index / (length - 1));
  const terms = Array.from(data, (_, index) => {
    const [x, y] = [tick(index % width, width), tick(Math.floor(index / width), height)];
    return [1, x, y, x * x, x * y, y * y];
  });
  let weights = Array.from(data, () => 1);
  let fitted = [];
  for (let round = 0; round < 3; round += 1) {
    // The tiny addition keeps images of a single row or column solvable.
    const squares = terms[0].map((_, i) => terms[0].map((__, j) =>
      terms.reduce((sum, row, index) => sum + weights[index] * row[i] * row[j], i === j ? 1e-6 : 0)));
    const sums = terms[0].map((_, i) => terms.reduce((sum, row, index) => sum + weights[index] * row[i] * data[index], 0));
    const factors = solved(squares, sums);
    fitted = terms.map((row) => row.reduce((sum, term, i) => sum + term * factors[i], 0));
    const off = fitted.map((value, index) => Math.abs(data[index] - value));
    const most = Math.max(1, 3 * median(off));
    weights = off.map((value) => Number(value <= most));
  }
  return { width, height, data: Float32Array.from(fitted) };
}

/** Gaussian elimination with pivots. */
function solved(matrix, values) {
  const rows = matrix.map((row, index) => [...row, values[index]]);
  for (let column = 0; column < rows.length; column += 1) {
    let pivot = column;
    for (let row = column; row < rows.length; row += 1) if (Math.abs(rows[row][column]) > Math.abs(rows[pivot][column])) pivot = row;
    [rows[column], rows[pivot]] = [rows[pivot], rows[column]];
    for (const row of rows) {
      if (row === rows[column]) continue;
      const share = row[column] / rows[column][column];
      row.forEach((value, index) => { row[index] = value - share * rows[column][index]; });
    }
  }
  return rows.map((row, index) => row.at(-1) / row[index]);
}

/** Fills up dark strokes (or levels light ones) that are narrower than a third of the plane. */
function filled(rest, isDark) {
  const { width, height } = rest;
  const window = Math.max(3, Math.floor(Math.min(width, height) / 3) | 1);
  const radius = (window - 1) / 2;
  // The edge goes on beyond itself: mirrored, slopes would look like strokes there.
  const held = (place, length) => Math.min(length - 1, Math.max(0, place - window));
  const padded = planeOf(width + 2 * window, height + 2 * window, (x, y) => rest.data[held(y, height) * width + held(x, width)], Float32Array);
  const [first, second] = isDark ? [maximum, minimum] : [minimum, maximum];
  const level = mean3(second(first(padded, radius), radius));
  return cut(level, { left: window, top: window, right: window + width, bottom: window + height });
}
