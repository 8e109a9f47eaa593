/** The VAE room: two maps to walk on, a drawing that lands on them, and the way from one digit to another. */

import { dataUri, element, partsOf, pictured, valuesOf } from "./dom.js";
import { LatentMap } from "./latent_map.js";
import { createPacer } from "./pace.js";
import { Pad } from "./pad.js";
import { Room } from "./room.js";
import { vectorInWords } from "./words.js";

const SIZE = 20; // pictures across a map
const STEPS = 9;
const MAPS = {
  "vae-2d": ["A variational autoencoder", "It learnt to fill the plane: between two digits is a digit."],
  "ae-2d": ["A plain autoencoder", "Nobody told it to fill the plane: it has places that stand for nothing."],
};
const DEEP = "vae"; // the model of many dimensions
const PLAIN = "ae-2d"; // has no distribution that could say how unlikely a place is

export default class VaeRoom extends Room {
  #walks = [];
  #isMine = false; // the way begins at the drawing
  #pacer = createPacer(() => this.#reconstruct());

  constructor(host, site) {
    super(host, site);
    const { form, mine } = this.part;
    this.pad = new Pad(this.part, () => this.#change());
    form.addEventListener("change", ({ target }) => this.#interpolate(this.#isMine && ["to", "path"].includes(target.name)));
    mine.addEventListener("click", () => this.#interpolate(true));
  }

  start(state) {
    const served = this.named("autoencode_image");
    this.models = [DEEP, ...Object.keys(MAPS)].filter((model) => served.includes(model));
    for (const model of this.models) if (MAPS[model] && !this.#walks.some((walk) => walk.model === model)) this.#addWalk(model);
    const z = (state.get("z") ?? "0,0").split(",").map(Number);
    for (const walk of this.#walks) walk.to(z.length === 2 && z.every(Number.isFinite) ? z : [0, 0]);
    if (this.pad.isEmpty) this.pad.showSample();
    this.#pacer.push();
    this.#interpolate(this.#isMine);
  }

  close() {
    for (const { pacer } of [...this.#walks, { pacer: this.#pacer }]) pacer.cancel();
    super.close();
  }

  /** One map, and what the decoder makes of the place that one points at. */
  #addWalk(model) {
    const host = element("section", { className: "card", ariaLabel: MAPS[model][0] });
    host.append(document.getElementById("map").content.cloneNode(true));
    const part = partsOf(host);
    [part.title.textContent, part.about.textContent] = MAPS[model];
    const to = (z) => { map.walkTo(z); part.place.textContent = vectorInWords(z); pacer.push(z); };
    const map = new LatentMap(part.map, { size: SIZE, label: `The latent space of ${model}. Arrow keys walk.`, onWalk: to });
    const pacer = createPacer((z) => this.#decode(model, z, part));
    this.#walks.push({ model, map, pacer, to });
    this.part.maps.append(host);
    this.run(`map of ${model}`, (options) => this.vitrine.picture(`v1/vae/manifold.png?model=${model}&size=${SIZE}`, options),
      ({ body }) => { map.image.src = URL.createObjectURL(body); });
  }

  #decode(model, z, { picture, caption }) {
    const latents = [z.map((value) => Number(value.toFixed(3)))];
    return this.ask(model, `v1/vae/decode?model=${model}`, { latents }, "images", (body) => {
      [picture.src] = body.images;
      caption.textContent = `decoded by ${body.model.name}/${body.model.version}`;
      this.remember({ z: latents[0].map((value) => value.toFixed(3)).join(",") });
    });
  }

  #change() {
    if (!this.pad.isEmpty) return this.#pacer.push();
    this.#pacer.cancel();
    this.stop("returned");
    this.part.returned.replaceChildren();
    for (const { map } of this.#walks) map.land(null);
  }

  #reconstruct() {
    const path = (model) => `v1/vae/reconstruct?return=input&model=${model}`;
    return this.run("returned", async (options) => {
      const picture = await this.pad.toPicture();
      this.showCommand(path(this.models[0]), picture);
      return Promise.all(this.models.map((model) => this.vitrine.ask(path(model), picture, "reconstructions", options)));
    }, (calls) => {
      this.say("");
      this.showTiming(calls[0]);
      this.#showReturned(calls.map(({ body }) => ({ ...body.reconstructions[0], model: body.model.name })));
    });
  }

  #showReturned(rows) {
    this.part.returned.replaceChildren(pictured(rows[0].input.image, 128, "what went in"),
      ...rows.map((row) => pictured(row.image, 128, row.model, `${row.reconstruction_loss.toFixed(0)} nats to draw it`,
        ...(row.model === PLAIN ? [] : [`${row.kl.toFixed(1)} to say where it is`]))));
    for (const { model, map } of this.#walks) map.land(rows.find((row) => row.model === model).z);
    this.part.live.textContent = rows.map((row) => `${row.model}: anomaly score ${row.anomaly_score.toFixed(0)}.`).join(" ");
  }

  #interpolate(isMine) {
    this.#isMine = isMine;
    if (!this.models.includes(DEEP) || !this.part.form.reportValidity()) return;
    const { from, to, path } = valuesOf(this.part.form);
    this.remember({ from, to, path });
    this.ask("way", `v1/vae/interpolate?model=${DEEP}`, async () => ({
      from: isMine ? await dataUri(await this.pad.toPicture()) : { random_seed: from },
      to: { random_seed: to }, steps: STEPS, path,
    }), "images", ({ images }) => this.part.way.replaceChildren(...images.map((image, step) =>
      pictured(image, 104, `${step + 1} of ${STEPS}`))));
  }
}
