/**
 * The image on its way through the network, left to right. One points at a map, and sees it enlarged with what its
 * values are computed from; a click keeps it.
 */

import { showBars, showSignedBars } from "./chart.js";
import { make, placeIn, watchArrows } from "./dom.js";
import { showFilter } from "./filter_view.js";

const FEW_VALUES = 16;
const MAP_SIDE = 224; // CSS pixels of the enlarged map
const POOLING = "Pooling: only the strongest of every 2 × 2 values is kept, so a stroke may be slightly shifted.";
const KINDS = [ // the beginning of a layer's name → what it does, in one sentence
  ["conv", "Convolution: each map shows one small filter moved over the maps below; where the filter fits, the map is white."],
  ["pool", POOLING],
  ["max_pool", POOLING],
  ["re_lu", "ReLU: negative values become zero."],
  ["dense", "Dense layer: every value is a weighted sum of all values below it, without a position in the image."],
  ["logits", "Logits: one sum for each class; positive ones (right of the line) speak for it."],
  ["softmax", "Softmax: e to the power of each logit, divided by their sum: probabilities, which add up to 1."],
  ["input", "The input: 28 × 28 grey values, light ink on black, as in the training set."],
];

export const kindOf = (name) => KINDS.find(([beginning]) => name.startsWith(beginning))?.[1] ?? "";

const columnsOf = (count) => Math.min(count, Math.ceil(Math.sqrt(count)));

/** The box of tile `index` in a grid of `count` tiles of `height` × `width`, as the service draws it. */
export function tileBox(index, count, height, width) {
  const columns = columnsOf(count);
  return { left: (index % columns) * (width + 1), top: Math.floor(index / columns) * (height + 1), width, height };
}

/** The tile at a pixel of the grid, and the place in it. */
export function tileAt([height, width, count], x, y) {
  const column = Math.floor(x / (width + 1));
  const row = Math.floor(y / (height + 1));
  const index = row * columnsOf(count) + column;
  return index < count && column < columnsOf(count)
    ? { index, place: [Math.min(height - 1, Math.floor(y - row * (height + 1))), Math.min(width - 1, Math.floor(x - column * (width + 1)))] } : null;
}

/** `part`: strip, enlarged. `ask({ layer, map })` fetches what `showFilter` is then given, or null. */
export function createLayers({ strip, enlarged }, ask) {
  let layers = [];
  let images = {}; // by layer
  let chosen = { name: "", index: 0, place: [0, 0] };
  let filter = null; // of the chosen map
  let isKept = false;

  const canvas = make("canvas.pixels.map", { tabIndex: 0, role: "application" });
  const mark = make("span.mark");
  const slider = make("input", { type: "range", min: 1, ariaLabel: "Map" });
  const [caption, kind, sum] = [make("p.certainty"), make("p.fine"), make("div.sums")];
  enlarged.replaceChildren(make("div.enlarged-map", make("div.paper", canvas, mark), slider), make("div", caption, kind, sum));

  const layerOf = (name) => layers.find((layer) => layer.name === name);

  /** Another map, or another place of it. */
  function choose(name, index, place) {
    const layer = layerOf(name);
    if (!layer) return;
    const isSame = name === chosen.name && index === chosen.index;
    chosen = { name, index, place };
    if (!isSame) {
      filter = null;
      sum.replaceChildren();
      ask({ layer: name, map: index });
    }
    paint();
  }

  function paint() {
    const { shape: [height, width, count] } = layerOf(chosen.name);
    const { index, name, place: [row, column] } = chosen;
    const box = tileBox(index, count, height, width);
    Object.assign(canvas, { width, height, ariaLabel: `Map ${index + 1} of ${name}. Arrow keys choose a place.` });
    canvas.getContext("2d").drawImage(images[name], box.left, box.top, width, height, 0, 0, width, height);
    canvas.style.width = `${MAP_SIDE}px`;
    mark.style.cssText = `left: ${100 * column / width}%; top: ${100 * row / height}%; width: ${100 / width}%; height: ${100 / height}%`;
    Object.assign(slider, { max: count, value: index + 1, hidden: count < 2 });
    caption.textContent = `${name}, map ${index + 1} of ${count}`;
    kind.textContent = kindOf(name);
    if (filter) showFilter(sum, filter, chosen.place);
    for (const [each, image] of Object.entries(images)) image.parentElement.ariaPressed = isKept && each === name;
  }

  function moveTo([right, down]) {
    const { shape: [height, width] } = layerOf(chosen.name);
    const inside = (value, size) => Math.min(size - 1, Math.max(0, value));
    choose(chosen.name, chosen.index, [inside(down, height), inside(right, width)]);
  }

  canvas.onpointermove = canvas.onpointerdown = (event) => {
    const { shape: [height, width] } = layerOf(chosen.name);
    const [x, y] = placeIn(canvas, event);
    moveTo([Math.floor(x * width), Math.floor(y * height)]);
  };
  watchArrows(canvas, ([right, down]) => moveTo([chosen.place[1] + right, chosen.place[0] + down]));
  slider.oninput = () => choose(chosen.name, Number(slider.value) - 1, chosen.place);

  /** The maps of a layer: pointing at one chooses it, a click keeps it. */
  function createMaps(layer) {
    const image = make("img.pixels", { src: layer.image, alt: "" });
    const button = make("button.plain", { type: "button", ariaLabel: `Enlarge ${layer.name}` }, image);
    image.onload = () => {
      enlarge(image, image.naturalWidth, 128);
      if (layer.name === chosen.name) paint();
    };
    function point({ clientX, clientY, detail }) {
      const [x, y] = placeIn(image, { clientX, clientY });
      const found = detail === 0 && !clientX ? { index: 0, place: [0, 0] } : tileAt(layer.shape, x * image.naturalWidth, y * image.naturalHeight);
      if (found) choose(layer.name, found.index, found.place);
    }
    image.onpointermove = (event) => event.pointerType === "mouse" && !isKept && point(event);
    button.onclick = (event) => {
      isKept = false;
      point(event);
      isKept = true;
      paint();
      enlarged.scrollIntoView({ block: "nearest" });
    };
    images[layer.name] = image;
    return button;
  }

  return {
    /** The image's address, then each layer's name, shape, and `image` of maps or `values`; at the end the probabilities. */
    show(input, found, probabilities) {
      const { scrollLeft } = strip;
      layers = found.filter(({ image }) => image);
      images = {};
      filter = null;
      const seen = make("img.pixels", { src: input, alt: "", width: 84, height: 84 });
      const cells = [["input", [28, 28, 1], seen],
        ...found.map((layer) => [layer.name, layer.shape, layer.image ? createMaps(layer) : createValues(layer.values)]),
        ["softmax", [probabilities.length], createValues(probabilities)]];
      strip.replaceChildren(...cells.map(([name, shape, shown]) => make("figure", shown,
        make("figcaption", { title: kindOf(name) }, make("b", name), shape.join(" × ")))));
      strip.scrollLeft = scrollLeft;
      enlarged.hidden = !layers.length;
      if (!layers.length) return;
      const { name, shape: [height, width] } = layerOf(chosen.name) ?? layers[0];
      if (name !== chosen.name) chosen = { name, index: 0, place: [Math.floor(height / 2), Math.floor(width / 2)] };
      ask({ layer: name, map: chosen.index });
    },
    /** The answer to the newest question; null: the model does not say what its maps are computed from. */
    showFilter(found) {
      if (found && (found.layer !== chosen.name || found.map !== chosen.index)) return;
      filter = found;
      sum.replaceChildren(...(found ? [] : [make("p.fine", "The filters of this layer are not known.")]));
      paint();
    },
  };
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
