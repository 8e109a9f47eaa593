/** The GAN room: samples, the latent vector of a picture, moving along attributes, mixing two. */

import { pathOf } from "./chart.js";
import { drawn, element, pictured, valuesOf } from "./dom.js";
import { createPacer } from "./pace.js";
import { Pad } from "./pad.js";
import { Room } from "./room.js";
import { figure, inWords } from "./words.js";

const SHOWN = 24; // samples
const STEPS = 9;
const STRONGEST = 3; // standard deviations along a direction

const rounded = (vector) => vector.map((value) => Number(value.toFixed(4)));

export default class GanRoom extends Room {
  #point = null; // { latent, image }: what is edited
  #sliders = [];
  #sampler = createPacer(() => this.#sample());
  #editor = createPacer(() => this.#edit());

  constructor(host, site) {
    super(host, site);
    const { form, between, find, halt, mine } = this.part;
    this.pad = new Pad(this.part, () => { find.disabled = this.pad.isEmpty; });
    form.addEventListener("input", () => this.#sampler.push());
    form.addEventListener("change", () => this.#sampler.push());
    between.addEventListener("change", ({ target }) => this.#join(this.isMine && target !== between && !/^first/.test(target.name)));
    mine.addEventListener("click", () => this.#join(true));
    find.addEventListener("click", () => this.#project());
    halt.addEventListener("click", () => { this.stop("projection"); this.#setFinding(false); });
  }

  start() {
    if (this.pad.isEmpty) this.pad.showSample();
    this.#sampler.push();
    if (!this.#sliders.length) this.#findDirections();
    this.#join(this.isMine);
  }

  close() {
    this.#sampler.cancel();
    this.#editor.cancel();
    this.#setFinding(false);
    super.close();
  }

  #sample() {
    const { form, samples } = this.part;
    if (!form.reportValidity()) return true;
    const { digit, ...values } = valuesOf(form);
    this.part.truncation.textContent = values.truncation.toFixed(2);
    this.remember({ digit: digit ?? "", ...values });
    const request = { n: SHOWN, ...values, ...(digit && { digit: Number(digit) }) };
    return this.ask("samples", "v1/gan/sample", request, "images", ({ images, digits, w }) => {
      samples.replaceChildren(...images.map((src, index) => {
        const label = `A ${digits?.[index] ?? "digit"}, sample ${index + 1}: edit it`;
        const button = element("button", { type: "button", ariaLabel: label }, element("img", { className: "pixels", src, alt: "" }));
        button.addEventListener("click", () => this.#choose({ latent: w[index], image: src }));
        return button;
      }));
      if (!this.#point) this.#choose({ latent: w[0], image: images[0] });
    });
  }

  /** A point in w from which the sliders move. */
  #choose(point) {
    this.#point = point;
    for (const { slider } of this.#sliders) slider.value = "0";
    this.#showEdited(point);
  }

  #showEdited({ latent, image }) {
    this.edited = latent;
    this.part.edited.replaceChildren(pictured(this.#point.image, 112, "as it was"), pictured(image, 112, "as it is moved"));
  }

  #findDirections() {
    return this.run("directions", (options) => this.vitrine.ask("v1/gan/directions", null, "directions", options), ({ body }) => {
      const list = Array.isArray(body.directions) ? body.directions
        : Object.entries(body.directions).map(([name, about]) => ({ name, ...about }));
      this.#sliders = list.map(({ name, rho }) => {
        const slider = element("input", { type: "range", min: -STRONGEST, max: STRONGEST, step: 0.25, value: 0 });
        slider.addEventListener("input", () => this.#editor.push());
        const label = element("label", {}, inWords(name), rho ? ` (follows it with ρ = ${figure(rho)})` : "", slider);
        return { name, slider, label };
      });
      this.part.sliders.replaceChildren(...this.#sliders.map(({ label }) => label));
    });
  }

  /** Moves along one direction after the other. */
  #edit() {
    const point = this.#point;
    return this.run("edit", async (options) => {
      let moved = { latents: [point.latent], images: [point.image] };
      for (const { name, slider } of this.#sliders.filter(({ slider: { value } }) => Number(value))) {
        const request = { latent: rounded(moved.latents[0]), direction: name, strength: Number(slider.value) };
        this.showCommand("v1/gan/edit", request);
        const call = await this.vitrine.ask("v1/gan/edit", request, "images", options);
        this.showTiming(call);
        moved = call.body;
      }
      return moved;
    }, ({ latents, images }) => {
      this.say("");
      this.#showEdited({ latent: latents[0], image: images[0] });
    });
  }

  async #project() {
    const { guess, loss, steps } = valuesOf(this.part.search);
    const path = `v1/gan/project?steps=${steps}&loss=${loss}&start=${guess}&stream=true`;
    const losses = [];
    this.#setFinding(true);
    this.say("");
    const isNewest = await this.run("projection", async (options) => {
      const picture = await this.pad.toPicture();
      this.showCommand(path, picture);
      const call = await this.vitrine.stream(path, picture, options);
      this.say("");
      this.showTiming(call);
      for await (const event of call.events) this.#follow(event, losses, steps);
    });
    if (isNewest) this.#setFinding(false);
  }

  /** Every few steps there is a picture; at the end, where it was found. */
  #follow(event, losses, steps) {
    const image = event.image ?? event.images?.[0];
    const latent = event.latent ?? event.latents?.[0];
    const loss = event.loss ?? event.losses?.[0];
    const psnr = event.psnr?.[0] ?? event.psnr;
    if (typeof loss === "number") losses.push(loss);
    if (losses.length) {
      const curve = pathOf(losses, [Math.min(...losses), Math.max(...losses)]);
      const words = `${event.step === undefined ? "done" : `step ${event.step} of ${steps}`}, loss ${figure(losses.at(-1))}${psnr ? `, ${figure(psnr)} dB` : ""}`;
      this.part.found.replaceChildren(...(image ? [pictured(image, 112, "found", words)] : [...this.part.found.children].slice(0, 1)),
        element("figure", { className: "curve" }, drawn("svg", { viewBox: "0 -4 320 128", role: "img", "aria-label": "the loss so far" },
          drawn("path", { d: curve }))));
      this.part.live.textContent = event.step === undefined || event.step >= steps ? `Found: ${words}.` : "";
    }
    if (latent && image) this.#choose({ latent, image });
  }

  #setFinding(isFinding) {
    this.part.find.disabled = isFinding || this.pad.isEmpty;
    this.part.halt.disabled = !isFinding;
  }

  /** The way between two points, and the two mixed: the coarse of one with the fine of the other. */
  #join(isMine) {
    this.isMine = Boolean(isMine && this.edited);
    if (!this.part.between.reportValidity()) return;
    const { first, firstDigit, second, secondDigit, space, path } = valuesOf(this.part.between);
    this.remember({ first, firstDigit, second, secondDigit, space, path });
    const from = this.isMine ? rounded(this.edited) : { random_seed: first, digit: Number(firstDigit) };
    const to = { random_seed: second, digit: Number(secondDigit) };
    const mix = (options, coarse, fine) => this.vitrine.ask("v1/gan/mix", { coarse, fine }, "images", options);
    this.run("mix", (options) => Promise.all([mix(options, from, to), mix(options, to, from)]), (calls) =>
      this.part.mixed.replaceChildren(...calls.map(({ body }, index) =>
        pictured(body.images[0], 112, `coarse of the ${["first", "second"][index]}`, `fine of the ${["second", "first"][index]}`))));
    return this.ask("way", "v1/gan/interpolate", { from, to, steps: STEPS, path, space: this.isMine ? "w" : space }, "images", ({ images }) =>
      this.part.way.replaceChildren(...images.map((image, step) => pictured(image, 88, `${step + 1} of ${STEPS}`))));
  }
}
