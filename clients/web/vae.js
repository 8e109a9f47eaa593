/** The VAE room: two maps to walk on, a drawing that lands on them, and the way from one digit to another. */

import { newestOnly, Superseded } from "./api.js";
import { Pad } from "./canvas.js";
import { element, partsOf } from "./dom.js";
import { LatentMap } from "./latent_map.js";
import { createNote } from "./note.js";
import { createPacer } from "./pace.js";
import { createRequest } from "./request.js";
import { curlCommand } from "./words.js";

const SIZE = 20; // pictures across a map
const STEPS = 9;
const MAPS = {
  "vae-2d": ["A variational autoencoder", "It learnt to fill the plane: between two digits is a digit."],
  "ae-2d": ["A plain autoencoder", "Nobody told it to fill the plane: it has places that stand for nothing."],
};
const DEEP = "vae"; // the model of many dimensions
const PLAIN = "ae-2d"; // has no distribution that could say how unlikely a place is

const inWords = (z) => `z = (${z.map((value) => value.toFixed(2).replace("-", "−")).join(", ")})`;

/** One map and what the decoder makes of the place that one points at. */
class Walk {
  #newest = newestOnly();
  #pacer = createPacer((z) => this.#decode(z));

  constructor(model, { vitrine, onAnswer, onError }) {
    Object.assign(this, { model, vitrine, onAnswer, onError });
    this.host = element("section", { className: "card", ariaLabel: MAPS[model][0] });
    this.host.append(document.getElementById("map").content.cloneNode(true));
    this.part = partsOf(this.host);
    [this.part.title.textContent, this.part.about.textContent] = MAPS[model];
    this.map = new LatentMap(this.part.map, { size: SIZE, label: `The latent space of ${model}. Arrow keys walk.` });
    this.map.addEventListener("walk", () => this.walkTo(this.map.z));
  }

  async open(z) {
    this.walkTo(z);
    if (this.map.image.src) return;
    try {
      this.map.image.src = URL.createObjectURL((await this.vitrine.manifold(this.model, SIZE)).body);
    } catch (error) {
      this.onError(error);
    }
  }

  walkTo(z) {
    this.map.walkTo(z);
    this.part.place.textContent = inWords(z);
    this.#pacer.push(z);
  }

  close() {
    this.#pacer.cancel();
    this.#newest(async () => {}).catch(() => {});
  }

  async #decode(z) {
    try {
      const call = await this.#newest((signal) => this.vitrine.decodeLatents(this.model, [z], { signal }));
      [this.part.picture.src] = call.body.images;
      this.part.caption.textContent = `decoded by ${call.body.model.name}/${call.body.model.version}`;
      this.onAnswer(this, z, call);
      return true;
    } catch (error) {
      if (error instanceof Superseded) return false;
      this.onError(error);
      return true;
    }
  }
}

export default class VaeRoom {
  #walks = [];
  #models = [];
  #newestReturn = newestOnly();
  #newestSteps = newestOnly();
  #isMine = false; // the way begins at the drawing
  #pacer = createPacer(() => this.#reconstruct());

  constructor(host, { vitrine, remember }) {
    Object.assign(this, { vitrine, remember, part: partsOf(host) });
    this.pad = new Pad(this.part.canvas);
    this.note = createNote(this.part.note);
    this.request = createRequest(this.part.request);
    this.#listen();
  }

  open(state, models) {
    const known = [DEEP, ...Object.keys(MAPS)];
    this.#models = models.filter(({ task }) => task === "autoencode_image").map(({ id }) => id)
      .filter((model) => known.includes(model)).sort((a, b) => known.indexOf(a) - known.indexOf(b));
    this.#addWalks();
    const { from, to, path } = this.part.form.elements;
    for (const field of [from, to, path]) field.value = state.get(field.name) ?? field.value;
    const z = (state.get("z") ?? "0,0").split(",").map(Number);
    for (const walk of this.#walks) walk.open(z.length === 2 && z.every(Number.isFinite) ? z : [0, 0]);
    if (this.pad.isEmpty) this.pad.showSample();
    this.#pacer.push();
    this.#interpolate();
  }

  close() {
    this.#pacer.cancel();
    for (const walk of this.#walks) walk.close();
    for (const newest of [this.#newestReturn, this.#newestSteps]) newest(async () => {}).catch(() => {});
  }

  #addWalks() {
    const missing = Object.keys(MAPS).filter((model) =>
      this.#models.includes(model) && !this.#walks.some((walk) => walk.model === model));
    const told = { vitrine: this.vitrine, onError: (error) => this.note.fail(error),
      onAnswer: (walk, z, call) => this.#showWalk(walk, z, call) };
    this.#walks.push(...missing.map((model) => new Walk(model, told)));
    this.part.maps.replaceChildren(...this.#walks.map(({ host }) => host));
  }

  #showWalk(walk, z, call) {
    this.note.say("");
    this.#remember({ z: z.map((value) => value.toFixed(3)).join(",") });
    this.#showRequest(`v1/vae/decode?model=${walk.model}`, { json: { latents: [z.map((value) => Number(value.toFixed(3)))] } });
    this.request.showTiming(call);
  }

  async #reconstruct() {
    try {
      const { picture, calls } = await this.#newestReturn(async (signal) => {
        const drawing = await this.pad.toPng();
        const asked = this.#models.map((model) => this.vitrine.reconstruct(model, drawing, { signal }));
        return { picture: drawing, calls: await Promise.all(asked) };
      });
      this.note.say("");
      this.#showReturned(calls);
      this.#showRequest(`v1/vae/reconstruct?model=${this.#models[0]}`, { file: "digit.png" });
      this.request.showTiming(calls[0]);
      return Boolean(picture);
    } catch (error) {
      if (error instanceof Superseded) return false;
      this.note.fail(error);
      return true;
    }
  }

  #showReturned(calls) {
    const rows = calls.map(({ body }) => ({ ...body.reconstructions[0], model: body.model.name }));
    const input = rows.find((row) => row.input)?.input.image;
    this.part.returned.replaceChildren(
      ...(input ? [figure(input, 128, "what went in")] : []),
      ...rows.map((row) => figure(row.image, 128, row.model, `${row.reconstruction_loss.toFixed(0)} nats to draw it`,
        ...(row.model === PLAIN ? [] : [`${row.kl.toFixed(1)} to say where it is`]))));
    for (const walk of this.#walks) {
      const row = rows.find(({ model }) => model === walk.model);
      walk.map.land(row?.z ?? null);
    }
    this.part.live.textContent = rows.map((row) =>
      `${row.model}: anomaly score ${row.anomaly_score.toFixed(0)}.`).join(" ");
  }

  async #interpolate() {
    if (!this.#models.includes(DEEP)) return;
    const { from, to, path } = this.part.form.elements;
    if (!this.part.form.reportValidity()) return;
    this.#remember({ from: from.value, to: to.value, path: path.value });
    try {
      const call = await this.#newestSteps(async (signal) => {
        const start = this.#isMine ? await dataUri(await this.pad.toPng()) : { random_seed: Number(from.value) };
        const request = { from: start, to: { random_seed: Number(to.value) }, steps: STEPS, path: path.value };
        if (!this.#isMine) this.#showRequest(`v1/vae/interpolate?model=${DEEP}`, { json: request });
        return this.vitrine.interpolate(DEEP, request, { signal });
      });
      this.part.steps.replaceChildren(...call.body.images.map((image, step) =>
        figure(image, 104, `${step + 1} of ${STEPS}`)));
      this.request.showTiming(call);
    } catch (error) {
      if (!(error instanceof Superseded)) this.note.fail(error);
    }
  }

  #state = {};
  #remember(values) {
    Object.assign(this.#state, values);
    this.remember(this.#state);
  }

  #showRequest(path, about) {
    const url = new URL(path, document.baseURI).href;
    this.request.showCommand(curlCommand(url, { ...about, withKey: Boolean(this.vitrine.key) }));
  }

  #listen() {
    const { pad, part } = this;
    for (const change of ["ink", "lift"]) pad.addEventListener(change, () => this.#pacer.push());
    pad.addEventListener("empty", () => {
      this.#pacer.cancel();
      part.returned.replaceChildren();
      for (const walk of this.#walks) walk.map.land(null);
    });
    part.clear.addEventListener("click", () => pad.clear());
    part.undo.addEventListener("click", () => pad.undo());
    const way = (isMine) => { this.#isMine = isMine; this.#interpolate(); };
    part.form.addEventListener("submit", (event) => { event.preventDefault(); way(false); });
    part.form.addEventListener("change", ({ target }) => way(this.#isMine && target.name !== "from"));
    part.mine.addEventListener("click", () => way(true));
    part.dice.addEventListener("click", () => {
      for (const name of ["from", "to"]) part.form.elements[name].value = Math.floor(Math.random() * 2 ** 32);
      way(false);
    });
  }
}

function figure(image, side, name, ...lines) {
  return element("figure", {},
    element("img", { className: "pixels", src: image, alt: name, width: side, height: side }),
    element("figcaption", {}, element("b", { textContent: name }),
      ...lines.flatMap((line) => [line, element("br")])));
}

function dataUri(blob) {
  return new Promise((resolve, reject) => {
    const reader = Object.assign(new FileReader(), { onload: () => resolve(reader.result), onerror: reject });
    reader.readAsDataURL(blob);
  });
}
