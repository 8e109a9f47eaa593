/**
 * A map of a two-dimensional latent space, `size` pictures wide: where the pointer is, there is a z.
 * Knows no service.
 *
 * The centres of the pictures are the quantiles of 2 % to 98 %, as `/v1/vae/manifold.png` has them:
 * z[0] grows to the right, z[1] downwards.
 */

import { drawn, element } from "./dom.js";
import { quantile, shareBelow } from "./gaussian.js";

const FIRST = 0.02;
const LAST = 0.98;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const limited = (value) => Math.min(1, Math.max(0, value));

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

/** Fires `walk` when the pointer or the keys move to another `z`. */
export class LatentMap extends EventTarget {
  z = [0, 0];

  constructor(host, { size, label }) {
    super();
    this.size = size;
    this.image = element("img", { className: "pixels", alt: "" });
    this.here = drawn("circle", { r: 2.5, class: "here" });
    this.landed = drawn("path", { d: "M-3 0H3M0-3V3", class: "landed", visibility: "hidden" });
    const marks = drawn("svg", { viewBox: "0 0 100 100", "aria-hidden": "true" }, this.landed, this.here);
    host.append(this.image, marks);
    Object.assign(host, { tabIndex: 0, ariaLabel: label });
    host.setAttribute("role", "application");
    host.addEventListener("pointermove", (event) => this.#point(event));
    host.addEventListener("pointerdown", (event) => this.#point(event));
    host.addEventListener("keydown", (event) => this.#key(event));
    this.host = host;
    this.walkTo([0, 0]);
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
    this.#walk([(event.clientX - left) / width, (event.clientY - top) / height].map(limited));
  }

  #key(event) {
    const step = ARROWS[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.#walk(placeOf(this.z, this.size).map((share, axis) => limited(share + step[axis] / this.size / 4)));
  }

  #walk(place) {
    this.walkTo(latentAt(place, this.size));
    this.dispatchEvent(new Event("walk"));
  }
}

function moveTo(mark, [across, down]) {
  mark.setAttribute("transform", `translate(${across * 100} ${down * 100})`);
}
