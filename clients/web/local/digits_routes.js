/** `/v1/digits/*` */

import { normalizeDigit } from "./digit.js";
import { InvalidValue } from "./errors.js";
import { explain } from "./explain.js";
import { dataUri, tiled } from "./images.js";
import { preparedImages, rowsOf, shownInput } from "./request_images.js";

const TASK = "classify_digit";
const OUTLIER = 0.5; // the graph scales its score so that more than this is "probably no digit"

async function classify(call) {
  const model = await call.model("digits", TASK);
  const { prepared, inputs } = await preparedImages(call, normalizeDigit);
  const { probabilities, outlier_score: scores } = await model.run("serving_default", inputs);
  const predictions = rowsOf(probabilities).map(async (row, index) => {
    const digit = row.indexOf(Math.max(...row));
    return { digit, probability: row[digit], probabilities: row, outlier: scores.data[index] > OUTLIER,
      outlier_score: scores.data[index], ...await shownInput(call, prepared[index]) };
  });
  return { model: model.reference, predictions: await Promise.all(predictions) };
}

async function activations(call) {
  const model = await call.model("digits", TASK);
  const { inputs } = await preparedImages(call, normalizeDigit);
  const outputs = await model.run("activations", inputs);
  const layers = Object.keys(model.signatures.activations.outputs).map(async (name) => {
    const { data, shape: [, ...shape] } = outputs[name];
    return shape.length === 3 ? { name, shape, image: await dataUri(tiled(mapsOf(data, shape))) } : { name, shape, values: Array.from(data) };
  });
  return { model: model.reference, layers: await Promise.all(layers) };
}

/** [H, W, C] → a plane for each channel on its own scale: black is its lowest value, white its highest. */
function mapsOf(data, [height, width, count]) {
  return Array.from({ length: count }, (_, channel) => {
    const values = data.filter((__, index) => index % count === channel);
    const low = Math.min(...values);
    const range = Math.max(...values) - low || 1;
    return { width, height, data: Uint8Array.from(values, (value) => Math.fround((value - low) * Math.fround(255 / range))) };
  });
}

/** What one map of a layer is computed from: its filter, the bias, and the maps below. */
async function filter(call) {
  const model = await call.model("digits", TASK);
  const { inputs: { images } } = await preparedImages(call, normalizeDigit);
  const [layer, map] = [call.query.get("layer"), Number(call.query.get("map"))];
  const found = await model.filterOf(layer);
  if (!found) throw new InvalidValue(`layer must be one whose filters were exported, got ${layer}: export ${model.name} again`);
  const outputs = await model.run("activations", { images });
  const { kind, below, size, strides, padding, relu = false, range: [low, high] = [0, 1], kernel, bias } = found;
  const inputs = outputs[below] ?? { shape: images.shape, data: Float32Array.from(images.data, (value) => low + value * Math.fround((high - low) / 255)) };
  const ofMap = (values) => values.filter((_, index) => index % bias.length === map);
  return {
    model: model.reference, layer, map, kind, below, size, strides, padding, relu,
    kernel: kernel ? cellsOf(kernel, size, ofMap) : null,
    bias: bias ? bias[map] : null,
    inputs: cellsOf(inputs.data, inputs.shape.slice(1), kernel ? (cell) => cell : (cell) => [cell[map]]),
    values: cellsOf(outputs[layer].data, outputs[layer].shape.slice(1), (cell) => cell[map]),
  };
}

/** Numbers of [height, width, …] → rows of what `read` makes of the numbers of each place. */
function cellsOf(data, [height, width], read) {
  const size = data.length / (height * width);
  return Array.from({ length: height }, (_, row) => Array.from({ length: width }, (__, column) =>
    read(Array.from(data.subarray((row * width + column) * size, (row * width + column + 1) * size)))));
}

async function explainDigit(call) {
  const model = await call.model("digits", TASK);
  const { prepared: [{ image }] } = await preparedImages(call, normalizeDigit);
  const pixels = { width: image.width, height: image.height, channels: 1, data: image.data };
  return explain(call, model, pixels, (digit, probability) => ({ digit, probability }));
}

export default { "digits/classify": classify, "digits/activations": activations, "digits/filter": filter, "digits/explain": explainDigit };
