/** `/v1/digits/*` */

import { normalizeDigit } from "./digit.js";
import { explain } from "./explain.js";
import { dataUri, tiled } from "./images.js";
import { preparedImages, rowsOf, shownInput } from "./request_images.js";
import { named } from "./service.js";

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
  return { model: named(model), predictions: await Promise.all(predictions) };
}

async function activations(call) {
  const model = await call.model("digits", TASK);
  const { inputs } = await preparedImages(call, normalizeDigit);
  const outputs = await model.run("activations", inputs);
  const layers = Object.keys(model.signatures.activations.outputs).map(async (name) => {
    const { data, shape: [, ...shape] } = outputs[name];
    return shape.length === 3 ? { name, shape, image: await dataUri(tiled(mapsOf(data, shape))) } : { name, shape, values: Array.from(data) };
  });
  return { model: named(model), layers: await Promise.all(layers) };
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

async function explainDigit(call) {
  const model = await call.model("digits", TASK);
  const { prepared: [{ image }] } = await preparedImages(call, normalizeDigit);
  const pixels = { width: image.width, height: image.height, channels: 1, data: image.data };
  return explain(call, model, pixels, (digit, probability) => ({ digit, probability }));
}

export default { "digits/classify": classify, "digits/activations": activations, "digits/explain": explainDigit };
