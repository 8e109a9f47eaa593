/** The picture on its way through the network, left to right. */

import { element } from "./dom.js";

const WISHED_WIDTH = 128; // CSS pixels; maps are enlarged by a whole number, at least 2, to come near it
const FEW_VALUES = 16;

/** Fills a strip: the picture's address, then each layer's name, shape, and `image` of maps or `values`. */
export function showLayers(strip, input, layers) {
  const { scrollLeft } = strip;
  strip.replaceChildren(createFigure("input", [28, 28], createMaps(input, 84)),
    ...layers.map(({ name, shape, image, values = [] }) =>
      createFigure(name, shape, image ? createMaps(image) : createValues(values))));
  strip.scrollLeft = scrollLeft;
}

/** Marks a strip that holds more to the right, so that it can fade there. */
export function watchOverflow(strip) {
  const mark = () => strip.classList.toggle("more", strip.scrollLeft + strip.clientWidth < strip.scrollWidth - 1);
  strip.addEventListener("scroll", mark, { passive: true });
  strip.addEventListener("load", mark, { capture: true }); // each map, once its size is known
  new ResizeObserver(mark).observe(strip);
}

function createFigure(name, shape, content) {
  return element("figure", {}, content,
    element("figcaption", {}, element("b", { textContent: name }), shape.join(" × ")));
}

function createMaps(src, width = WISHED_WIDTH) {
  const image = element("img", { className: "pixels", alt: "" });
  image.addEventListener("load", () => enlarge(image, image.naturalWidth, width));
  image.src = src;
  return image;
}

function enlarge(image, naturalWidth, width) {
  image.style.width = `${naturalWidth * Math.max(2, Math.round(width / naturalWidth))}px`;
}

function createValues(values) {
  if (values.length > FEW_VALUES) return createGrid(values);
  const highest = Math.max(...values.map(Math.abs)) || 1;
  return element("ol", { className: "few" }, ...values.map((value, index) => {
    const fill = element("span", { className: "fill" });
    fill.style.transform = `scaleX(${Math.abs(value) / highest})`;
    return element("li", {}, String(index), fill);
  }));
}

function createGrid(values) {
  const width = Math.ceil(Math.sqrt(values.length));
  const canvas = element("canvas", { className: "pixels", width, height: Math.ceil(values.length / width) });
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  const low = Math.min(0, ...values);
  const range = Math.max(...values) - low || 1;
  for (let index = 0; index < width * canvas.height; index += 1) {
    const grey = ((values[index] - low) / range) * 255 || 0;
    pixels.data.set([grey, grey, grey, 255], index * 4);
  }
  context.putImageData(pixels, 0, 0);
  enlarge(canvas, width, 96);
  return canvas;
}
