/** `/v1/vae/*` */

import { fitDigit } from "./digit.js";
import { InvalidValue } from "./errors.js";
import { encodePng, planesOf, tiled } from "./images.js";
import { PATHS, plane, seedOf, vectorOf, wholeNumber } from "./latents.js";
import { normals } from "./random_streams.js";
import { floats, imageUris, preparedImages, rowsOf, shownInput } from "./request_images.js";

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
  return { model: model.reference, images: await imageUris(call, await decoded(model, latents)) };
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
  const noise = prepared.map(() => new Float32Array(latentSize(model))); // none: z is the mean
  const encoded = await model.run("encode", inputs);
  const returned = await model.run("reconstruct", { ...inputs, noise: floats(noise) });
  const [means, uris] = [rowsOf(encoded.z_mean), await imageUris(call, returned.images)];
  const reconstructions = await Promise.all(prepared.map(async (each, row) => {
    const [loss, kl] = [returned.reconstruction_loss.data[row], returned.kl.data[row]];
    return { image: uris[row], z: means[row], noise: [...noise[row]], reconstruction_loss: loss, kl, anomaly_score: loss + kl, ...await shownInput(call, each) };
  }));
  return { model: model.reference, reconstructions };
}

async function interpolate(call) {
  const model = await call.model("vae", TASK);
  const { from, to, steps, path = "lerp" } = call.json;
  const placeOf = (name, value) => (value?.random_seed === undefined ? vectorOf(name, value, latentSize(model))
    : [...normals(seedOf(value.random_seed, `${name}.random_seed`), 1, latentSize(model))[0]]);
  const latents = PATHS[path](placeOf("from", from), placeOf("to", to), wholeNumber("steps", steps, 2, 64, 9));
  return { model: model.reference, images: await imageUris(call, await decoded(model, latents)), latents };
}

export default { "vae/decode": decode, "vae/manifold.png": manifold, "vae/reconstruct": reconstruct, "vae/interpolate": interpolate };
