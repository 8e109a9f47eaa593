/** `/v1/images/*` and `/v1/fashion/*` */

import { normalizeClothing } from "./digit.js";
import { explain } from "./explain.js";
import { toGrey } from "./images.js";
import { imagesOf, preparedImages, rowsOf, shownInput } from "./request_images.js";
import { fitPhoto } from "./photo.js";
import { wholeNumber } from "./latents.js";

const TASK = "classify_image";
const DEFAULT_TOP = 5;
const OUTLIER = 0.5;
const HEADS = { dense: "fashion-dense", svm: "fashion-svm" };

const isDrawing = ({ width, height, channels }) => width === 28 && height === 28 && channels === 1;
const scoresOf = ({ probabilities, scores }) => rowsOf(probabilities ?? scores);

/** Decoded images in the form that a model's input describes, each { width, height, channels, data }. */
async function fitted(call, { input }) {
  const images = await imagesOf(call);
  return call.timed("decode", async () => images.map((image) => {
    const data = isDrawing(input) ? normalizeClothing(toGrey(image)).image.data
      : fitPhoto(input.channels === 1 ? { ...toGrey(image), channels: 1 } : image, input).data;
    return { width: input.width, height: input.height, channels: input.channels, data };
  }));
}

function batchOf(pixels) {
  const [{ width, height, channels, data: { length } }] = pixels;
  const data = new Uint8Array(pixels.length * length);
  pixels.forEach((each, index) => data.set(each.data, index * length));
  return { images: { data, shape: [pixels.length, height, width, channels] } };
}

const labelOf = ({ labels }, index) => ({ class_name: labels[index][0], class_description: labels[index][1] });

async function label(call) {
  const model = await call.model("labels", TASK);
  const top = wholeNumber("top", call.query.get("top"), 1, model.labels.length, Math.min(DEFAULT_TOP, model.labels.length));
  const outputs = await model.run("serving_default", batchOf(await fitted(call, model)));
  return { model: model.reference, predictions: scoresOf(outputs).map((row) => row.map((_, index) => index)
    .sort((one, other) => row[other] - row[one]).slice(0, top).map((index) => ({ ...labelOf(model, index), score: row[index] }))) };
}

async function features(call) {
  const model = await call.model("labels", TASK);
  const { features: found } = await model.run("features", batchOf(await fitted(call, model)));
  return { model: model.reference, features: rowsOf(found) };
}

async function explainLabels(call) {
  const model = await call.model("labels", TASK);
  const [pixels] = await fitted(call, model);
  return explain(call, model, pixels, (index, score) => ({ ...labelOf(model, index), score }));
}

async function classifyClothes(call) {
  const wanted = call.query.get("head") ?? "dense";
  const heads = wanted === "both" ? ["dense", "svm"] : [wanted];
  const models = await Promise.all(heads.map((head) => call.model(HEADS[head], TASK)));
  const { prepared, inputs } = await preparedImages(call, normalizeClothing);
  const found = await Promise.all(models.map(async (model, index) => predictionsOf(model, heads[index], await model.run("serving_default", inputs))));
  const rows = found[0].map((row, index) => (found.length === 1 ? row
    : { dense: row, svm: found[1][index], agree: row.label_index === found[1][index].label_index }));
  return { model: models[0].reference, predictions: await Promise.all(rows.map(async (row, index) => ({ ...row, ...await shownInput(call, prepared[index]) }))) };
}

function predictionsOf(model, head, outputs) {
  return scoresOf(outputs).map((scores, row) => {
    const index = scores.indexOf(Math.max(...scores));
    const score = outputs.outlier_score?.data[row];
    return { label: model.labels[index][1], label_index: index, scores, head,
      ...(score !== undefined && { outlier: score > OUTLIER, outlier_score: score }) };
  });
}

export default { "images/label": label, "images/features": features, "images/explain": explainLabels, "fashion/classify": classifyClothes };
