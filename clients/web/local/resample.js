/** Images resized as Pillow resizes them, to the last bit. */

import { planeOf, transposed } from "./filters.js";

const BITS = 22; // of the fixed-point weights of bytes
const FILTERS = {
  box: { support: 0.5, weigh: (x) => Number(x > -0.5 && x <= 0.5) },
  bilinear: { support: 1, weigh: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, weigh: (x) => cubic(Math.abs(x)) },
};

/** A share of the size by means of `factor` × `factor` pixels; at the right and lower edge of what is left of them. */
export function reduce({ width, height, data }, factor) {
  return planeOf(Math.ceil(width / factor), Math.ceil(height / factor), (x, y) => {
    const [right, bottom] = [Math.min(width, (x + 1) * factor), Math.min(height, (y + 1) * factor)];
    const area = (right - x * factor) * (bottom - y * factor);
    let sum = Math.floor(area / 2);
    for (let v = y * factor; v < bottom; v += 1) for (let u = x * factor; u < right; u += 1) sum += data[v * width + u];
    const share = Math.floor(Math.fround(2 ** 32 / (256 * area)));
    return Math.floor(sum * share / 2 ** 24);
  });
}

/**
 * To a width and height, through a filter. `box`: [width, height] of what is taken of the image, from its upper left.
 * Bytes are weighed in fixed point, floats are not rounded.
 */
export function resize(plane, width, height, name, [across, down] = [plane.width, plane.height]) {
  const wide = width === plane.width && across === plane.width ? plane : alongRows(plane, width, FILTERS[name], across);
  if (height === plane.height && down === plane.height) return wide;
  return transposed(alongRows(transposed(wide), height, FILTERS[name], down));
}

function alongRows({ width, height, data }, target, filter, length) {
  const isBytes = data instanceof Uint8Array;
  const weights = Array.from({ length: target }, (_, index) => weightsOf(index, width, length / target, filter, isBytes));
  return planeOf(target, height, (x, y) => {
    const { first, shares } = weights[x];
    let sum = isBytes ? 2 ** (BITS - 1) : 0;
    for (let each = 0; each < shares.length; each += 1) sum += data[y * width + first + each] * shares[each];
    return isBytes ? Math.min(255, Math.max(0, Math.floor(sum / 2 ** BITS))) : sum;
  }, data.constructor);
}

function cubic(x) {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
}

function weightsOf(index, width, scale, { support, weigh }, isBytes) {
  const stretch = Math.max(1, scale);
  const centre = (index + 0.5) * scale;
  const first = Math.max(0, Math.trunc(centre - support * stretch + 0.5));
  const end = Math.min(width, Math.trunc(centre + support * stretch + 0.5));
  const raw = Array.from({ length: end - first }, (_, each) => weigh((each + first - centre + 0.5) / stretch));
  const sum = raw.reduce((total, each) => total + each, 0) || 1;
  return { first, shares: raw.map((each) => (isBytes ? Math.trunc(0.5 + each / sum * 2 ** BITS) : each / sum)) };
}
