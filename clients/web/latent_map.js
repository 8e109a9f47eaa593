/**
 * A map of a two-dimensional latent space, `size` images wide. Their centres are the quantiles of 2 %
 * to 98 % of the normal distribution, as in `/v1/vae/manifold.png`: z[0] grows to the right, z[1] downwards.
 */

import { make, placeIn, watchArrows } from "./dom.js";

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
  let z = -8;
  for (let step = 8; step > 1e-9; step /= 2) {
    if (shareBelow(z + step) < share) z += step;
  }
  return z;
}

/** Where on the map, 0 to 1 across and down, a z is; what lies beyond is on the edge. */
export const placeOf = (z, size) =>
  z.map((value) => limited((0.5 + (shareBelow(value) - FIRST) / (LAST - FIRST) * (size - 1)) / size));

/** The z at a place. */
export const latentAt = (place, size) => place.map((share) =>
  quantile(FIRST + (LAST - FIRST) * limited((share * size - 0.5) / (size - 1))));

/** Calls `walk(z)` when the pointer or the keys lead to another z. */
export function createLatentMap(host, size, walk) {
  let here = [0, 0];
  const image = make("img.pixels", { alt: "" });
  const point = make("circle", { r: 2.5 });
  const landed = make("path.landed", { d: "M-3 0H3M0-3V3" });
  const show = (mark, z) => {
    const [across, down] = placeOf(z, size);
    mark.setAttribute("transform", `translate(${across * 100} ${down * 100})`);
  };
  const map = {
    image,
    walkTo(z) {
      here = z;
      show(point, z);
    },
    /** Marks where something landed; null: nothing did. */
    land(z) {
      landed.setAttribute("visibility", z ? "visible" : "hidden");
      if (z) show(landed, z);
    },
  };

  host.append(image, make("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, landed, point));
  host.onpointermove = host.onpointerdown = (event) => walk(latentAt(placeIn(host, event), size));
  watchArrows(host, (step) => walk(latentAt(placeOf(here, size).map((share, axis) => share + step[axis] / size / 4), size)));
  map.land(null);
  return map;
}
