/** `/v1/vae/*` */

import { fitDigit } from "./digit.js";
import { InvalidValue } from "./errors.js";
import { encodePng, planesOf, tiled } from "./images.js";
import { PATHS, plane, seedOf, vectorOf, wholeNumber } from "./latents.js";
import { normals } from "./random_streams.js";
import { floats, imageUris, preparedImages, rowsOf, shownInput } from "./request_images.js";
import { named } from "./service.js";

const TASK = "autoencode_image";
const MOST_AT_ONCE = 100; // images in a run: the page answers in between

const latentSize = ({ signatures }) => Number(/,(\d+)\]/.exec(signatures.decode.inputs.z)[1]);

async function decoded(model, latents) {
  const parts = [];
  for (let first = 0; first < latents.length; first += MOST_AT_ONCE) {
    parts.push((await model.run("decode", { z: floats(latents.slice(first, first + MOST_AT_ONCE)) })).images);
  }
  const [, ...shape] = parts[0].shape;
  return { data: Uint8Array.from(parts.flatMap(({ data }) => Array.from(data))), shape: [latents.length, ...shape] };
}

async function decode(call) {
  const model = await call.model("vae", TASK);
  const latents = (call.json.latents ?? []).map((z) => vectorOf("latents", z, latentSize(model)));
  if (!latents.length) throw new InvalidValue("latents must hold at least one latent vector, got none");
  return { model: named(model), images: await imageUris(call, await decoded(model, latents)) };
}

async function sample(call) {
  const model = await call.model("vae", TASK);
  const seed = seedOf(call.json.random_seed);
  const latents = normals(seed, wholeNumber("n", call.json.n, 1, 256, 16), latentSize(model))
    .map((z) => z.map((value) => value * (call.json.scale ?? 1)));
  return { model: named(model), random_seed: seed, images: await imageUris(call, await decoded(model, latents)), latents: latents.map((z) => [...z]) };
}

async function manifold(call) {
  const model = await call.model("vae-2d", TASK);
  const size = wholeNumber("size", call.query.get("size"), 2, 40, 20);
  if (latentSize(model) !== 2) throw new InvalidValue(`model must have 2 latent dimensions for a manifold, got ${model.name} with ${latentSize(model)}`);
  const { data, shape: [, height, width] } = await decoded(model, plane(size));
  return new Response(await encodePng(tiled(planesOf(data, width, height), { gap: 0, columns: size })));
}

async function reconstruct(call) {
  const model = await call.model("vae", TASK);
  const { prepared, inputs } = await preparedImages(call, fitDigit);
  const size = latentSize(model);
  const seed = call.query.get("random_seed");
  const noise = seed === null ? prepared.map(() => new Float32Array(size)) : normals(seedOf(Number(seed)), prepared.length, size);
  const encoded = await model.run("encode", inputs);
  const returned = await model.run("reconstruct", { ...inputs, noise: floats(noise) });
  const [means, variances, uris] = [rowsOf(encoded.z_mean), rowsOf(encoded.z_log_var), await imageUris(call, returned.images)];
  const reconstructions = await Promise.all(prepared.map(async (each, row) => {
    const [loss, kl] = [returned.reconstruction_loss.data[row], returned.kl.data[row]];
    const z = means[row].map((mean, index) => mean + Math.exp(variances[row][index] / 2) * noise[row][index]);
    return { image: uris[row], z, noise: [...noise[row]], reconstruction_loss: loss, kl, anomaly_score: loss + kl, ...await shownInput(call, each) };
  }));
  return { model: named(model), ...(seed !== null && { random_seed: Number(seed) }), reconstructions };
}

async function encode(call) {
  const model = await call.model("vae", TASK);
  const { prepared, inputs } = await preparedImages(call, fitDigit);
  const outputs = await model.run("encode", inputs);
  const [means, variances] = [rowsOf(outputs.z_mean), rowsOf(outputs.z_log_var)];
  return { model: named(model), encodings: await Promise.all(prepared.map(async (each, row) => {
    const kl = means[row].reduce((sum, mean, index) => sum + (mean ** 2 + Math.exp(variances[row][index]) - 1 - variances[row][index]) / 2, 0);
    return { z_mean: means[row], z_log_var: variances[row], kl, ...await shownInput(call, each) };
  })) };
}

async function interpolate(call) {
  const model = await call.model("vae", TASK);
  const { from, to, steps, path = "lerp" } = call.json;
  const placeOf = (name, value) => (value?.random_seed === undefined ? vectorOf(name, value, latentSize(model))
    : [...normals(seedOf(value.random_seed, `${name}.random_seed`), 1, latentSize(model))[0]]);
  const latents = PATHS[path](placeOf("from", from), placeOf("to", to), wholeNumber("steps", steps, 2, 64, 9));
  return { model: named(model), images: await imageUris(call, await decoded(model, latents)), latents };
}

export default { "vae/decode": decode, "vae/sample": sample, "vae/manifold.png": manifold, "vae/reconstruct": reconstruct,
  "vae/encode": encode, "vae/interpolate": interpolate };
