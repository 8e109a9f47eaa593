/** The picture on its way through the network, left to right. */

import { showBars } from "./chart.js";
import { make } from "./dom.js";

const FEW_VALUES = 16;

/** Fills a strip: the picture's address, then each layer's name, shape, and `image` of maps or `values`. */
export function showLayers(strip, input, layers) {
  const { scrollLeft } = strip;
  const figures = [{ name: "input", shape: [28, 28], image: input, wished: 84 }, ...layers].map(({ name, shape, image, values, wished = 128 }) =>
    make("figure", image ? createMaps(image, wished) : createValues(values), make("figcaption", make("b", name), shape.join(" × "))));
  strip.replaceChildren(...figures);
  strip.scrollLeft = scrollLeft;
}

const createMaps = (src, wished) =>
  make("img.pixels", { src, alt: "", onload: ({ target }) => enlarge(target, target.naturalWidth, wished) });

/** By a whole number, at least 2, to come near a width in CSS pixels. */
function enlarge(image, width, wished) {
  image.style.width = `${width * Math.max(2, Math.round(wished / width))}px`;
}

function createValues(values) {
  if (values.length > FEW_VALUES) return createGrid(values);
  const list = make("ol.bars.few");
  const highest = Math.max(...values.map(Math.abs)) || 1;
  showBars(list, values.map((value, index) => [index, Math.abs(value) / highest, ""]), -1);
  return list;
}

function createGrid(values) {
  const width = Math.ceil(Math.sqrt(values.length));
  const canvas = make("canvas.pixels", { width, height: Math.ceil(values.length / width) });
  const context = canvas.getContext("2d");
  const low = Math.min(0, ...values);
  const range = Math.max(...values) - low || 1;
  values.forEach((value, index) => {
    context.fillStyle = `hsl(0 0% ${100 * (value - low) / range}%)`;
    context.fillRect(index % width, Math.floor(index / width), 1, 1);
  });
  enlarge(canvas, width, 96);
  return canvas;
}
