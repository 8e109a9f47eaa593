/**
 * A map of a two-dimensional latent space, `size` images wide. Their centres are the quantiles of 2 %
 * to 98 % of the normal distribution, as in `/v1/vae/manifold.png`: z[0] grows to the right, z[1] downwards.
 */

import { make, placeIn, watchArrows } from "./dom.js";
import { quantile, shareBelow } from "./normal.js";

const FIRST = 0.02;
const LAST = 0.98;

const limited = (value) => Math.min(1, Math.max(0, value));

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
