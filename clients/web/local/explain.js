/** Where a classifier looked: class activation maps from its own graph, or by covering one window after the other. */

import { mapped, rounded } from "./filters.js";
import { dataUri, toGrey } from "./images.js";
import { wholeNumber } from "./latents.js";
import { column } from "./request_images.js";
import { resize } from "./resample.js";

const CELLS = 10; // windows a side at most
const WINDOWS = 16; // covered images in a run
const OVERLAY_SIDE = 224;
const [SOME, MOST] = [[255, 96, 32], [255, 232, 120]]; // heat

/** `pixels`: bytes as the network takes them; `fields(index, score)` names a class. */
export async function explain(call, model, pixels, fields) {
  const { width, height, channels, data } = pixels;
  const images = { data, shape: [1, height, width, channels] };
  const scores = Array.from(scoresOf(await model.run("serving_default", { images })));
  const top = wholeNumber("top", call.query.get("top"), 1, scores.length, 1);
  const classes = scores.map((_, index) => index).sort((one, other) => scores[other] - scores[one]).slice(0, top);
  const method = model.has("explain") ? "cam" : "occlusion";
  const maps = await (method === "cam" ? activationMaps : occlusionMaps)(model, pixels, classes, scores);
  const explanations = await call.timed("encode", () => Promise.all(classes.map(async (index, place) => {
    const heatmap = normalized(maps[place]);
    return { ...fields(index, scores[index]), method, heatmap: rowsOf(heatmap), image: await dataUri(overlay(pixels, heatmap)) };
  })));
  return { model: model.reference, explanations: [explanations] };
}

const scoresOf = ({ probabilities, scores }) => (probabilities ?? scores).data;
const rowsOf = ({ width, height, data }) => Array.from({ length: height }, (_, y) => Array.from(data.subarray(y * width, (y + 1) * width)));

async function activationMaps(model, { width, height, channels, data }, classes) {
  const maps = [];
  for (const index of classes) { // one at a time: the page answers in between
    const { heatmap } = await model.run("explain",
      { images: { data, shape: [1, height, width, channels] }, class_index: column([index], Int32Array) });
    const [, rows, columns] = heatmap.shape;
    maps.push({ width: columns, height: rows, data: Float32Array.from(heatmap.data) });
  }
  return maps;
}

/** How much the score of each class falls when a window is covered. */
async function occlusionMaps(model, pixels, classes, scores) {
  const { width, height, channels } = pixels;
  const [rows, columns] = gridOf(height, width);
  const maps = classes.map(() => ({ width: columns, height: rows, data: new Float32Array(rows * columns) }));
  for (let first = 0; first < rows * columns; first += WINDOWS) {
    const cells = Array.from({ length: Math.min(WINDOWS, rows * columns - first) }, (_, index) => first + index);
    const data = new Uint8Array(cells.length * pixels.data.length);
    cells.forEach((cell, index) => data.set(covered(pixels, cell, rows, columns), index * pixels.data.length));
    const found = scoresOf(await model.run("serving_default", { images: { data, shape: [cells.length, height, width, channels] } }));
    cells.forEach((cell, index) => classes.forEach((each, place) => {
      maps[place].data[cell] = scores[each] - found[index * scores.length + each];
    }));
  }
  return maps;
}

function gridOf(height, width) {
  const longer = Math.max(height, width);
  const cells = Math.min(CELLS, longer);
  return [height, width].map((length) => Math.max(1, rounded(cells * length / longer)));
}

/** A window is two cells wide, centred on its cell; black in a drawing, else of the image's mean colour. */
function covered({ width, height, channels, data }, cell, rows, columns) {
  const isDrawing = width === 28 && height === 28 && channels === 1;
  const colour = Array.from({ length: channels }, (_, channel) => (isDrawing ? 0
    : data.reduce((sum, value, index) => sum + (index % channels === channel ? value : 0), 0) * channels / data.length));
  const [top, bottom] = spanOf(Math.floor(cell / columns), rows, height);
  const [left, right] = spanOf(cell % columns, columns, width);
  const copy = data.slice();
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) for (let channel = 0; channel < channels; channel += 1) copy[(y * width + x) * channels + channel] = colour[channel];
  }
  return copy;
}

function spanOf(cell, cells, length) {
  const size = length / cells;
  const [start, end] = [rounded((cell - 0.5) * size), rounded((cell + 1.5) * size)];
  return [Math.max(0, start), Math.min(length, Math.max(end, start + 1))];
}

/** To 0 to 1 with 1 as the highest; where nothing speaks for a class, the place that speaks least against it is. */
function normalized(raw) {
  const low = Math.min(...raw.data);
  const isFor = raw.data.some((value) => value > 0);
  const heat = mapped(raw, (value) => (isFor ? Math.max(0, value) : value - low));
  const peak = Math.max(...heat.data);
  return mapped(heat, (value) => (peak ? value / peak : 1));
}

/** The map over the image in grey, enlarged by a whole number: bytes of three channels. */
function overlay(pixels, heatmap) {
  const grey = toGrey(pixels);
  const zoom = Math.max(1, Math.floor(OVERLAY_SIDE / Math.max(grey.width, grey.height)));
  const [width, height] = [grey.width * zoom, grey.height * zoom];
  const heat = resize(heatmap, width, height, "bicubic").data.map((value) => Math.min(1, Math.max(0, value)));
  const data = Uint8Array.from({ length: 3 * width * height }, (_, index) => {
    const pixel = Math.floor(index / 3);
    const value = grey.data[Math.floor(Math.floor(pixel / width) / zoom) * grey.width + Math.floor(pixel % width / zoom)];
    const share = 0.75 * heat[pixel];
    const colour = SOME[index % 3] * (1 - heat[pixel]) + MOST[index % 3] * heat[pixel];
    return rounded(value * (1 - share) + colour * share);
  });
  return { width, height, channels: 3, data };
}
