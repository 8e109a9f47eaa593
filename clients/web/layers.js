/** The picture on its way through the network, left to right. */

import { make } from "./dom.js";

const WISHED_WIDTH = 128; // CSS pixels; maps are enlarged by a whole number, at least 2, to come near it
const FEW_VALUES = 16;

/** Fills a strip: the picture's address, then each layer's name, shape, and `image` of maps or `values`. */
export function showLayers(strip, input, layers) {
  const { scrollLeft } = strip;
  const shown = (name, shape, content) => make("figure", content, make("figcaption", make("b", name), shape.join(" × ")));
  strip.replaceChildren(shown("input", [28, 28], createMaps(input, 84)),
    ...layers.map(({ name, shape, image, values }) => shown(name, shape, image ? createMaps(image) : createValues(values))));
  strip.scrollLeft = scrollLeft;
}

/** Marks a strip that holds more to the right, so that it can fade there. */
export function watchOverflow(strip) {
  const mark = () => strip.classList.toggle("more", strip.scrollLeft + strip.clientWidth < strip.scrollWidth - 1);
  strip.onscroll = mark;
  strip.addEventListener("load", mark, true); // each map, once its size is known
  new ResizeObserver(mark).observe(strip);
}

function createMaps(src, width = WISHED_WIDTH) {
  return make("img.pixels", { src, alt: "", onload: ({ target }) => enlarge(target, target.naturalWidth, width) });
}

function enlarge(image, naturalWidth, width) {
  image.style.width = `${naturalWidth * Math.max(2, Math.round(width / naturalWidth))}px`;
}

function createValues(values) {
  if (values.length > FEW_VALUES) return createGrid(values);
  const highest = Math.max(...values.map(Math.abs)) || 1;
  return make("ol.few", values.map((value, index) => {
    const fill = make("span.fill");
    fill.style.transform = `scaleX(${Math.abs(value) / highest})`;
    return make("li", index, fill);
  }));
}

function createGrid(values) {
  const width = Math.ceil(Math.sqrt(values.length));
  const canvas = make("canvas.pixels", { width, height: Math.ceil(values.length / width) });
  const context = canvas.getContext("2d");
  const low = Math.min(0, ...values);
  const range = Math.max(...values) - low || 1;
  values.forEach((value, index) => {
    const grey = 255 * (value - low) / range;
    context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
    context.fillRect(index % width, Math.floor(index / width), 1, 1);
  });
  enlarge(canvas, width, 96);
  return canvas;
}
