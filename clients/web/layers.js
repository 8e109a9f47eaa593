/** The image on its way through the network, left to right; a layer that is chosen is enlarged and explained. */

import { showBars, showSignedBars } from "./chart.js";
import { make } from "./dom.js";

const FEW_VALUES = 16;
const KINDS = [ // the beginning of a layer's name → what it does, in one sentence
  ["conv", "Convolution: every map is one small filter, moved over the image below; where the filter fits, the map is white."],
  ["pool", "Pooling: of every 2 × 2 places only the strongest is kept, so that a stroke may lie a little aside."],
  ["dense", "Dense layer: every value is a weighted sum of all values below it, and no longer has a place in the image."],
  ["logits", "Logits: one sum for each class, for it (right of the line) or against it (left of it)."],
  ["softmax", "Softmax: e to the power of each logit, divided by their sum: probabilities, which add up to 1."],
  ["input", "The input: 28 × 28 grey values, light ink on black, as in the training set."],
];

export const kindOf = (name) => KINDS.find(([beginning]) => name.startsWith(beginning))?.[1] ?? "";

/** Where tile `index` of so many, `height` × `width`, lies in a grid as the service draws it. */
export function tileBox(index, count, height, width) {
  const columns = Math.min(count, Math.ceil(Math.sqrt(count)));
  return { left: (index % columns) * (width + 1), top: Math.floor(index / columns) * (height + 1), width, height };
}

/**
 * Fills a strip: the image's address, then each layer's name, shape, and `image` of maps or `values`; at its end the
 * probabilities. `enlarged` shows the layer that is chosen.
 */
export function showLayers(strip, enlarged, input, layers, probabilities) {
  const { scrollLeft } = strip;
  const all = [{ name: "input", shape: [28, 28, 1], image: input, wished: 84 }, ...layers,
    { name: "softmax", shape: [probabilities.length], values: probabilities }];
  enlarged.replaceChildren();
  strip.replaceChildren(...all.map((layer) => make("figure", layer.image ? createMaps(layer, enlarged) : createValues(layer.values),
    make("figcaption", { title: kindOf(layer.name) }, make("b", layer.name), layer.shape.join(" × ")))));
  strip.scrollLeft = scrollLeft;
}

function createMaps(layer, enlarged) {
  const image = make("img.pixels", { src: layer.image, alt: "", onload: ({ target }) => enlarge(target, target.naturalWidth, layer.wished ?? 128) });
  const button = make("button.plain", { type: "button", ariaLabel: `Enlarge ${layer.name}` }, image);
  button.onclick = ({ offsetX, offsetY, detail }) => showEnlarged(enlarged, layer, image,
    detail && tileAt(layer, image.naturalWidth * offsetX / image.clientWidth, image.naturalHeight * offsetY / image.clientHeight));
  return button;
}

/** The tile at a place of the grid. */
function tileAt({ shape: [height, width, count] }, x, y) {
  const columns = Math.min(count, Math.ceil(Math.sqrt(count)));
  return Math.min(count - 1, Math.floor(y / (height + 1)) * columns + Math.floor(x / (width + 1)));
}

/** One map of a layer, large, and what the layer does. */
function showEnlarged(host, { name, shape: [height, width, count] }, image, index) {
  const canvas = make("canvas.pixels", { width, height });
  const slider = make("input", { type: "range", min: 1, max: count, value: index + 1, ariaLabel: `Map of ${name}` });
  const caption = make("b");
  slider.oninput = () => {
    const box = tileBox(slider.value - 1, count, height, width);
    canvas.getContext("2d").drawImage(image, box.left, box.top, width, height, 0, 0, width, height);
    caption.textContent = `${name}, map ${slider.value} of ${count}`;
  };
  enlarge(canvas, width, 196);
  slider.hidden = count < 2;
  slider.oninput();
  host.replaceChildren(canvas, make("div", make("p", caption), make("p.fine", kindOf(name)), slider));
}

/** By a whole number, at least 2, to come near a width in CSS pixels. */
function enlarge(image, width, wished) {
  image.style.width = `${width * Math.max(2, Math.round(wished / width))}px`;
}

function createValues(values) {
  if (values.length > FEW_VALUES) return createGrid(values);
  const list = make("ol.bars.few");
  const rows = values.map((value, index) => [index, value, ""]);
  if (Math.min(...values) < 0) showSignedBars(list, rows);
  else showBars(list, rows);
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
