/**
 * A map of a two-dimensional latent space, `size` pictures wide: where the pointer is, there is a z.
 * The centres of the pictures are the quantiles of 2 % to 98 % of the normal distribution, as
 * `/v1/vae/manifold.png` has them: z[0] grows to the right, z[1] downwards.
 */

import { drawn, element } from "./dom.js";
import { ARROWS } from "./pad.js";

const FIRST = 0.02;
const LAST = 0.98;

const limited = (value) => Math.min(1, Math.max(0, value));

/** The share of draws below z (Abramowitz and Stegun 7.1.26; off by at most 2e-7). */
export function shareBelow(z) {
  const t = 1 / (1 + 0.3275911 * Math.abs(z) / Math.SQRT2);
  const polynomial = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592]
    .reduce((sum, factor) => sum * t + factor, 0) * t;
  const tail = polynomial * Math.exp(-z * z / 2) / 2;
  return z < 0 ? tail : 1 - tail;
}

/** The z that a share of the draws is below. */
export function quantile(share) {
  let [low, high] = [-8, 8];
  for (let step = 0; step < 50; step += 1) {
    const middle = (low + high) / 2;
    if (shareBelow(middle) < share) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Where on the map, 0 to 1 across and down, a z is; what lies beyond is on the edge. */
export function placeOf(z, size) {
  return z.map((value) => limited((0.5 + (shareBelow(value) - FIRST) / (LAST - FIRST) * (size - 1)) / size));
}

/** The z at a place. */
export function latentAt(place, size) {
  return place.map((share) => {
    const column = Math.min(size - 1, Math.max(0, share * size - 0.5));
    return quantile(FIRST + (LAST - FIRST) * column / (size - 1));
  });
}

/** Calls `onWalk(z)` when the pointer or the keys move to another z. */
export class LatentMap {
  z = [0, 0];

  constructor(host, { size, label, onWalk }) {
    Object.assign(this, { host, size, onWalk });
    this.image = element("img", { className: "pixels", alt: "" });
    this.here = drawn("circle", { r: 2.5 });
    this.landed = drawn("path", { d: "M-3 0H3M0-3V3", class: "landed", visibility: "hidden" });
    host.append(this.image, drawn("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, this.landed, this.here));
    Object.assign(host, { tabIndex: 0, ariaLabel: label, role: "application" });
    for (const kind of ["pointermove", "pointerdown"]) host.addEventListener(kind, (event) => this.#point(event));
    host.addEventListener("keydown", (event) => this.#key(event));
  }

  walkTo(z) {
    this.z = z;
    moveTo(this.here, placeOf(z, this.size));
  }

  /** Marks where something landed; null: nothing did. */
  land(z) {
    this.landed.setAttribute("visibility", z ? "visible" : "hidden");
    if (z) moveTo(this.landed, placeOf(z, this.size));
  }

  #point(event) {
    const { left, top, width, height } = this.host.getBoundingClientRect();
    this.onWalk(latentAt([(event.clientX - left) / width, (event.clientY - top) / height].map(limited), this.size));
  }

  #key(event) {
    const step = ARROWS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const place = placeOf(this.z, this.size).map((share, axis) => limited(share + step[axis] / this.size / 4));
    this.onWalk(latentAt(place, this.size));
  }
}

function moveTo(mark, [across, down]) {
  mark.setAttribute("transform", `translate(${across * 100} ${down * 100})`);
}
