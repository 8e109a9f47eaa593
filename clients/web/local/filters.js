/**
 * Filters on planes: { width, height, data }, row by row. A mask is a plane of 0 and 1.
 *
 * What the service computes with SciPy, with the same results; the windows end at the edge unless a filter says otherwise.
 */

/** A plane of one kind of array, filled by `valueAt(x, y)`. */
export function planeOf(width, height, valueAt = null, Kind = Uint8Array) {
  const data = new Kind(width * height);
  if (valueAt) for (let y = 0, i = 0; y < height; y += 1) for (let x = 0; x < width; x += 1, i += 1) data[i] = valueAt(x, y);
  return { width, height, data };
}

/** `change(value, index)` of each pixel. */
export function mapped({ width, height, data }, change, Kind = data.constructor) {
  const found = new Kind(data.length);
  for (let index = 0; index < data.length; index += 1) found[index] = change(data[index], index);
  return { width, height, data: found };
}

export function transposed({ width, height, data }) {
  const found = new data.constructor(data.length);
  for (let y = 0, i = 0; y < height; y += 1) for (let x = 0; x < width; x += 1, i += 1) found[x * height + y] = data[i];
  return { width: height, height: width, data: found };
}

/** The part from (left, top) to before (right, bottom). */
export function cut({ width, data }, { left, top, right, bottom }) {
  const found = new data.constructor((right - left) * (bottom - top));
  for (let y = top; y < bottom; y += 1) found.set(data.subarray(y * width + left, y * width + right), (y - top) * (right - left));
  return { width: right - left, height: bottom - top, data: found };
}

export function rangeOf(values) {
  let [low, high] = [Infinity, -Infinity];
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

export const count = ({ data }) => countBetween(data, 0, data.length);

/** A loop: `reduce` would call a function for each pixel. */
function countBetween(data, start, end) {
  let sum = 0;
  for (let index = start; index < end; index += 1) if (data[index]) sum += 1;
  return sum;
}

/** The smallest box around what is not 0; null if everything is. */
export function boxOf({ width, height, data }) {
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0, i = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1, i += 1) {
      if (!data[i]) continue;
      if (x < left) left = x;
      if (x >= right) right = x + 1;
      if (y < top) top = y;
      bottom = y + 1;
    }
  }
  return right ? { left, top, right, bottom } : null;
}

/** Per row: how many pixels are not 0. */
export const rowCounts = ({ width, height, data }) => Array.from({ length: height }, (_, y) =>
  countBetween(data, y * width, (y + 1) * width));
export const columnCounts = (plane) => rowCounts(transposed(plane));

/**
 * The largest (or with a `sign` of −1 the smallest) value in a row's window, from `before` pixels to `after`; what is
 * `outside` the edge counts for nothing, or for this.
 */
export function alongRows({ width, height, data }, before, after, sign = 1, outside = -Infinity) {
  const found = new data.constructor(data.length);
  const window = before + after + 1;
  const line = new Float32Array(width + window - 1);
  for (let y = 0; y < height; y += 1) {
    line.fill(outside);
    for (let x = 0; x < width; x += 1) line[before + x] = sign * data[y * width + x];
    for (let length = 1; length < window;) { // each place holds the largest of the `length` values from there on
      const step = Math.min(length, window - length);
      for (let x = 0; x + step < line.length; x += 1) if (line[x + step] > line[x]) line[x] = line[x + step];
      length += step;
    }
    for (let x = 0; x < width; x += 1) found[y * width + x] = sign * line[x];
  }
  return { width, height, data: found };
}

export const alongColumns = (plane, ...window) => transposed(alongRows(transposed(plane), ...window));

/** In a square window of `radius` pixels around. */
export const maximum = (plane, radius) => alongColumns(alongRows(plane, radius, radius), radius, radius);
export const minimum = (plane, radius) => alongColumns(alongRows(plane, radius, radius, -1), radius, radius, -1);

/** The mean of three by three, mirrored at the edge, first along the columns; rounded as the array does after either. */
export const mean3 = (plane) => meanAlongRows(transposed(meanAlongRows(transposed(plane))));

function meanAlongRows({ width, height, data }) {
  const found = new data.constructor(data.length);
  for (let y = 0; y < height; y += 1) {
    const at = (x) => data[y * width + Math.min(width - 1, Math.max(0, x))];
    let mean = (at(-1) + at(0) + at(1)) / 3; // a running sum: its rounding decides where bytes are cut off
    found[y * width] = mean;
    for (let x = 1; x < width; x += 1) {
      mean += (at(x + 1) - at(x - 2)) / 3;
      found[y * width + x] = mean;
    }
  }
  return { width, height, data: found };
}

const FOUR = [[1, 0], [-1, 0], [0, 1], [0, -1]];
const EIGHT = [...FOUR, [1, 1], [1, -1], [-1, 1], [-1, -1]];

/** Numbers the connected parts of a mask from 1, in the order of their first pixels: { labels, components }. */
export function components(mask, { diagonal = true } = {}) {
  const { width, height, data } = mask;
  const labels = planeOf(width, height, null, Int32Array);
  const found = [];
  const neighbours = diagonal ? EIGHT : FOUR;
  for (let start = 0; start < data.length; start += 1) {
    if (!data[start] || labels.data[start]) continue;
    const one = { number: found.length + 1, left: width, top: height, right: 0, bottom: 0, area: 0 };
    const waiting = [start];
    labels.data[start] = one.number;
    while (waiting.length) {
      const place = waiting.pop();
      const x = place % width;
      const y = (place - x) / width;
      one.area += 1;
      if (x < one.left) one.left = x;
      if (x >= one.right) one.right = x + 1;
      if (y < one.top) one.top = y;
      if (y >= one.bottom) one.bottom = y + 1;
      for (let each = 0; each < neighbours.length; each += 1) {
        const u = x + neighbours[each][0];
        const v = y + neighbours[each][1];
        const next = v * width + u;
        if (u < 0 || v < 0 || u >= width || v >= height || !data[next] || labels.data[next]) continue;
        labels.data[next] = one.number;
        waiting.push(next);
      }
    }
    found.push({ ...one, width: one.right - one.left, height: one.bottom - one.top });
  }
  return { labels, components: found };
}

/** The mask of one component in its box. */
export const partOf = (labels, one) => mapped(cut(labels, one), (label) => Number(label === one.number), Uint8Array);

/** The outermost pixels, those in the corners twice. */
export function border({ width, height, data }) {
  const found = [...data.subarray(0, width), ...data.subarray(width * (height - 1))];
  for (const x of [0, width - 1]) for (let y = 0; y < height; y += 1) found.push(data[y * width + x]);
  return found;
}

/** Between two values where there is an even number. */
export const median = (values) => percentile(values, 50);

export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * share / 100;
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

/** To the nearest whole number, halves to the even one. */
export function rounded(value) {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 ? below + 1 : below;
}
