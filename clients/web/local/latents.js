/** Latent vectors on the way from one to another, and all over a plane. As the service computes them. */

import { quantile } from "../normal.js";
import { InvalidValue } from "./errors.js";

const [FIRST, LAST] = [0.02, 0.98]; // quantiles of the normal distribution at the ends of a plane
const PARALLEL = 1e-4; // a sine below: the arc is as good as a line

/** From one vector to another, both exactly, in equal steps: [steps][Z]. */
const line = (start, end, steps) => Array.from({ length: steps }, (_, step) => {
  const share = step / (steps - 1);
  return start.map((value, index) => (1 - share) * value + share * end[index]);
});

/** The same along the arc between their directions, the length changing evenly; where there is no one arc, the line. */
function arc(start, end, steps) {
  const [from, to] = [start, end].map((vector) => Math.hypot(...vector));
  const cosine = start.reduce((sum, value, index) => sum + value * end[index], 0) / (from * to);
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (!from || !to || Math.sin(angle) < PARALLEL) return line(start, end, steps);
  return Array.from({ length: steps }, (_, step) => {
    if (step === 0 || step === steps - 1) return step ? end : start;
    const share = step / (steps - 1);
    return start.map((value, index) => (Math.sin((1 - share) * angle) * value + Math.sin(share * angle) * end[index]) / Math.sin(angle));
  });
}

export const PATHS = { lerp: line, slerp: arc };

/** A plane of `size` × `size` equally likely places, row by row. */
export function plane(size) {
  const ticks = Array.from({ length: size }, (_, index) => quantile(FIRST + (LAST - FIRST) * index / (size - 1)));
  return ticks.flatMap((down) => ticks.map((across) => [across, down]));
}

/** A latent vector of `size` numbers; InvalidValue if it is none. */
export function vectorOf(name, value, size) {
  if (Array.isArray(value) && value.length === size && value.every(Number.isFinite)) return value;
  throw new InvalidValue(`${name} must be a latent vector of ${size} values for this model, got ${Array.isArray(value) ? `a list of ${value.length}` : JSON.stringify(value)}`);
}

const isSeed = (value) => Number.isInteger(value) && value >= 0 && value < 2 ** 32;

/** The random seed that was asked for, else a new one. */
export function seedOf(value, name = "random_seed") {
  if (value === undefined || value === null) return Math.floor(Math.random() * 2 ** 32);
  if (!isSeed(value)) throw new InvalidValue(`${name} must be a whole number from 0 to 4,294,967,295, got ${JSON.stringify(value)}`);
  return value;
}

/** A whole number in a range, or the default. */
export function wholeNumber(name, value, least, most, otherwise) {
  const number = value === undefined || value === null ? otherwise : Number(value);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new InvalidValue(`${name} must be a whole number from ${least} to ${most}, got ${JSON.stringify(value)}`);
}
