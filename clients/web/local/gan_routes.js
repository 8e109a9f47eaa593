/** `/v1/gan/*`, without the projection: its graph needs gradients, which ONNX Runtime does not compute here. */

import { fitDigit } from "./digit.js";
import { InvalidValue, Unavailable } from "./errors.js";
import { PATHS, seedOf, vectorOf, wholeNumber } from "./latents.js";
import { normals, uniforms } from "./random_streams.js";
import { column, floats, imageUris, preparedImages, rowsOf, shownInput } from "./request_images.js";

const TASK = "generate_image";
const TRUNCATION = 0.7;

const digitOf = (name, value, model) => (value === undefined || value === null ? null : wholeNumber(name, value, 0, model.labels.length - 1));
const drawnDigit = (seed, index, { latents, labels }) => Math.floor(uniforms(seed, index, latents.z, 1)[0] * labels.length);

function sampled(model, zs, digits, truncations) {
  return model.run("sample", { z: floats(zs), digit: column(digits, Int32Array), truncation: column(truncations) });
}

async function sample(call) {
  const model = await call.model("gan", TASK);
  const { n, digit, truncation = TRUNCATION, random_seed: given } = call.json;
  const [seed, count, wanted] = [seedOf(given), wholeNumber("n", n, 1, 256, 16), digitOf("digit", digit, model)];
  const z = normals(seed, count, model.latents.z);
  const digits = z.map((_, index) => wanted ?? drawnDigit(seed, index, model));
  const { images, w } = await sampled(model, z, digits, digits.map(() => truncation));
  return { model: model.reference, random_seed: seed, images: await imageUris(call, images), digits, z: z.map((each) => [...each]), w: rowsOf(w) };
}

/** What leads to a point: z, the digit that was asked for or drawn, and the truncation. */
function sourceOf(name, { random_seed: given, z, digit, truncation = TRUNCATION }, model) {
  const wanted = digitOf(`${name}.digit`, digit, model);
  if (z) return { z: vectorOf(`${name}.z`, z, model.latents.z), digit: wanted, truncation };
  const seed = seedOf(given, `${name}.random_seed`);
  return { z: [...normals(seed, 1, model.latents.z)[0]], digit: wanted, drawn: drawnDigit(seed, 0, model), truncation };
}

/** The w of a point: itself, or what its z maps to. */
async function placeOf(name, value, model) {
  if (Array.isArray(value)) return vectorOf(name, value, model.latents.w);
  const { z, digit, drawn, truncation } = sourceOf(name, value ?? {}, model);
  if ((digit ?? drawn) === undefined) throw new InvalidValue("digit must be given with z");
  return rowsOf((await sampled(model, [z], [digit ?? drawn], [truncation])).w)[0];
}

async function synthesized(call, model, latents) {
  const { images } = await model.run("synthesize", { w: floats(latents) });
  return { model: model.reference, images: await imageUris(call, images), latents: latents.map((w) => [...w]) };
}

async function interpolate(call) {
  const model = await call.model("gan", TASK);
  const { from, to, path = "lerp", space = "w" } = call.json;
  const steps = wholeNumber("steps", call.json.steps, 2, 64, 9);
  if (space === "w" || Array.isArray(from) || Array.isArray(to)) {
    return synthesized(call, model, PATHS[path](await placeOf("from", from, model), await placeOf("to", to, model), steps));
  }
  const [start, end] = [sourceOf("from", from, model), sourceOf("to", to, model)];
  const wanted = [...new Set([start.digit, end.digit].filter((digit) => digit !== null))];
  if (wanted.length > 1) throw new InvalidValue(`from and to must have the same digit if space is z, got ${wanted.sort().join(" and ")}: use space=w otherwise`);
  const z = PATHS[path](start.z, end.z, steps);
  const truncations = z.map((_, step) => start.truncation + (end.truncation - start.truncation) * step / (steps - 1));
  const { images, w } = await sampled(model, z, z.map(() => wanted[0] ?? start.drawn ?? end.drawn), truncations);
  return { model: model.reference, images: await imageUris(call, images), latents: rowsOf(w), z };
}

async function mix(call) {
  const model = await call.model("gan", TASK);
  const [coarse, fine] = [await placeOf("coarse", call.json.coarse, model), await placeOf("fine", call.json.fine, model)];
  const [start, end] = model.latents.fine;
  return synthesized(call, model, [coarse.map((value, index) => (index >= start && index < end ? fine[index] : value))]);
}

async function directions(call) {
  const model = await call.model("gan", TASK);
  return { model: model.reference, directions: Object.entries(model.directions).map(([name, { vector, ...measured }]) => ({ name, ...measured })) };
}

async function edit(call) {
  const model = await call.model("gan", TASK);
  const { latent, direction, strength } = call.json;
  const along = model.directions[direction];
  if (!along) throw new InvalidValue(`direction must be ${Object.keys(model.directions).join(" or ")}, got ${JSON.stringify(direction)}`);
  const w = await placeOf("latent", latent, model);
  return synthesized(call, model, [strength].flat().map((each) => w.map((value, index) => value + each * along.sigma * along.vector[index])));
}

async function discriminate(call) {
  const model = await call.model("gan", TASK);
  const { prepared, inputs } = await preparedImages(call, fitDigit);
  const { probability_real: found } = await model.run("discriminate", inputs);
  return { model: model.reference, predictions: await Promise.all(prepared.map(async (each, index) =>
    ({ probability_real: found.data[index], ...await shownInput(call, each) }))) };
}

async function project() {
  throw new Unavailable("a projection descends along gradients, which a service computes and this page cannot: run `vitrine serve`, and open its page");
}

export default { "gan/sample": sample, "gan/interpolate": interpolate, "gan/mix": mix, "gan/directions": directions, "gan/edit": edit,
  "gan/discriminate": discriminate, "gan/project": project };
