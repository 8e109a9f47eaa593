/** The digits room: the drawing goes to the service, its answer into the room. */

import { newestOnly, Superseded } from "./api.js";
import { createBars } from "./bars.js";
import { Pad } from "./canvas.js";
import { element, partsOf } from "./dom.js";
import { showLayers, watchOverflow } from "./layers.js";
import { createNote } from "./note.js";
import { createDebounce, createPacer } from "./pace.js";
import { createRequest } from "./request.js";
import { curlCommand, percent } from "./words.js";

const SETTLED_MS = 400; // without a new stroke: announce the answer, look into the layers

export default class DigitsRoom {
  #upload = null; // the file that is shown instead of a drawing
  #isSample = true;
  #latest = null; // { picture, prediction }: what the room shows now
  #newestAnswer = newestOnly();
  #newestLayers = newestOnly();
  #pacer = createPacer(() => this.#classify());
  #settled = createDebounce(() => this.#settle(), SETTLED_MS);

  constructor(host, { vitrine }) {
    this.host = host;
    this.vitrine = vitrine;
    this.part = partsOf(host);
    this.pad = new Pad(this.part.canvas);
    this.bars = createBars(this.part.bars, [..."0123456789"]);
    this.note = createNote(this.part.note);
    this.request = createRequest(this.part.request);
    this.#listen();
    watchOverflow(this.part.strip);
    this.#showRequest(null);
  }

  open() {
    if (this.pad.isEmpty) this.pad.showSample();
    this.#pacer.push();
  }

  close() {
    this.#pacer.cancel();
    this.#settled.cancel();
    for (const newest of [this.#newestAnswer, this.#newestLayers]) newest(async () => {}).catch(() => {});
  }

  async #classify() {
    try {
      this.#showAnswer(await this.#newestAnswer(async (signal) => {
        const picture = this.#upload ?? (await this.pad.toPng());
        const onWait = (seconds, error) => { this.#setStale(true); this.note.wait(seconds, error); };
        return { picture, ...(await this.vitrine.classifyDigit(picture, { signal, onWait })) };
      }));
      return true;
    } catch (error) {
      if (error instanceof Superseded) return false;
      this.#setStale(true);
      this.note.fail(error);
      this.#settled.push();
      return true;
    }
  }

  #showAnswer({ picture, body, ...call }) {
    const [prediction] = body.predictions;
    const reader = `read by ${body.model.name}/${body.model.version}`;
    this.#latest = { picture, prediction };
    this.part.digit.textContent = String(prediction.digit);
    this.part.certainty.textContent = percent(prediction.probability);
    this.part.caption.textContent = this.#isSample ? `a sample, ${reader}` : reader;
    this.bars.show(prediction.probabilities);
    this.#setStale(false);
    this.note.say(prediction.outlier ? "This is probably no digit. The network has to name one all the same." : "");
    this.#showInput(prediction.input);
    this.request.showTiming(call);
    this.#showRequest(picture);
    this.#settled.push();
  }

  #showInput(input) {
    const { seen, steps } = this.part;
    seen.hidden = !input;
    if (!input) return;
    seen.src = input.image;
    seen.alt = "The picture of 28 by 28 pixels that the model saw";
    steps.replaceChildren(...input.steps.map((textContent) => element("li", { textContent })));
  }

  #showRequest(picture) {
    const url = new URL("v1/digits/classify?return=input", document.baseURI).href;
    const { save } = this.request.parts;
    this.request.showCommand(
      curlCommand(url, { file: this.#upload?.name || "digit.png", withKey: Boolean(this.vitrine.key) }));
    save.hidden = !picture || Boolean(this.#upload);
    if (!picture) return;
    URL.revokeObjectURL(save.href);
    save.href = URL.createObjectURL(picture);
  }

  #setStale(isStale) {
    for (const name of ["digit", "certainty", "bars"]) this.part[name].classList.toggle("stale", isStale);
  }

  async #settle() {
    const { part } = this;
    if (part.digit.classList.contains("stale") || !this.#latest) {
      part.live.textContent = this.note.text;
      return;
    }
    const { picture, prediction } = this.#latest;
    if (!this.#isSample) {
      part.live.textContent =
        `The model reads ${prediction.digit}, ${percent(prediction.probability)}. ${this.note.text}`;
    }
    try {
      const { body } = await this.#newestLayers((signal) => this.vitrine.digitActivations(picture, { signal }));
      showLayers(part.strip, prediction.input?.image ?? "", body.layers);
      part.layersCaption.textContent =
        `The same picture in ${body.model.name}/${body.model.version}: lighter means more.`;
      part.layers.hidden = false;
    } catch (error) {
      if (!(error instanceof Superseded)) part.layers.hidden = true;
    }
  }

  #beginDrawing() {
    this.#upload = null;
    this.#isSample = false;
    this.part.invitation.hidden = true;
  }

  #forgetAnswer() {
    const { part } = this;
    this.close();
    this.#beginDrawing();
    this.#latest = null;
    part.invitation.hidden = false;
    part.digit.textContent = "–";
    part.certainty.textContent = part.caption.textContent = "\u00a0";
    this.bars.clear();
    this.#setStale(false);
    this.note.say("");
    part.seen.hidden = part.layers.hidden = true;
    part.steps.replaceChildren();
    this.request.showTiming(null);
    this.#showRequest(null);
  }

  async #openPicture(file) {
    if (!file || this.host.hidden) return;
    const bitmap = await createImageBitmap(file).catch(() => null); // the service says what is wrong
    this.#beginDrawing();
    this.#upload = file;
    this.pad.showPicture(bitmap);
    this.#pacer.push();
  }

  #listen() {
    const { pad, part } = this;
    pad.addEventListener("ink", () => { this.#beginDrawing(); this.#settled.cancel(); this.#pacer.push(); });
    pad.addEventListener("lift", () => this.#pacer.push());
    pad.addEventListener("empty", () => this.#forgetAnswer());
    part.clear.addEventListener("click", () => pad.clear());
    part.undo.addEventListener("click", () => pad.undo());
    part.file.addEventListener("change", ({ target }) => { this.#openPicture(target.files[0]); target.value = ""; });
    addEventListener("paste", (event) => this.#openPicture(event.clipboardData.files[0]));
    addEventListener("dragover", (event) => { event.preventDefault(); part.paper.classList.add("over"); });
    addEventListener("dragleave", () => part.paper.classList.remove("over"));
    addEventListener("drop", (event) => {
      event.preventDefault();
      part.paper.classList.remove("over");
      this.#openPicture(event.dataTransfer.files[0]);
    });
  }
}
