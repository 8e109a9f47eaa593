/** The digits room: the drawing goes to the service, its answer into the room. */

import { createBars } from "./bars.js";
import { element } from "./dom.js";
import { showLayers, watchOverflow } from "./layers.js";
import { createDebounce, createPacer } from "./pace.js";
import { Pad } from "./pad.js";
import { Room } from "./room.js";
import { percent } from "./words.js";

const SETTLED_MS = 400; // without a new stroke: announce the answer, look into the layers
const PATH = "v1/digits/classify?return=input";
const COURSE = "digits-course"; // the network that is looked into

export default class DigitsRoom extends Room {
  #latest = null; // the prediction that the room shows
  #pacer = createPacer(() => this.#classify());
  #settled = createDebounce(() => this.#settle(), SETTLED_MS);

  constructor(host, site) {
    super(host, site);
    this.pad = new Pad(this.part, () => this.#change());
    this.bars = createBars(this.part.bars, [..."0123456789"]);
    watchOverflow(this.part.strip);
  }

  start() {
    if (this.pad.isEmpty) this.pad.showSample();
    this.#pacer.push();
  }

  close() {
    this.#pacer.cancel();
    this.#settled.cancel();
    super.close();
  }

  say(text) {
    super.say(text);
    this.#setStale(text !== ""); // an outlier's remark comes with an answer, which is shown after it
  }

  #change() {
    this.#settled.cancel();
    if (this.pad.isEmpty) this.#forgetAnswer();
    else this.#pacer.push();
  }

  async #classify() {
    this.#latest = null;
    const answered = await this.ask("answer", PATH, () => this.pad.toPicture(), "predictions", (body) => this.#showAnswer(body));
    if (answered) this.#settled.push();
    return answered;
  }

  #showAnswer({ model, predictions: [prediction] }) {
    const { part } = this;
    const reader = `read by ${model.name}/${model.version}`;
    this.#latest = prediction;
    if (prediction.outlier) this.say("This is probably no digit. The network has to name one all the same.");
    part.digit.textContent = String(prediction.digit);
    part.certainty.textContent = percent(prediction.probability);
    part.caption.textContent = this.pad.isSample ? `a sample, ${reader}` : reader;
    this.bars.show(prediction.probabilities);
    this.#setStale(false);
    part.seen.hidden = false;
    part.seen.src = prediction.input.image;
    part.steps.replaceChildren(...prediction.input.steps.map((textContent) => element("li", { textContent })));
  }

  #setStale(isStale) {
    for (const name of ["digit", "certainty", "bars"]) this.part[name].classList.toggle("stale", isStale);
  }

  async #settle() {
    const { part } = this;
    const prediction = this.#latest;
    const words = prediction && `The model reads ${prediction.digit}, ${percent(prediction.probability)}.`;
    if (!this.pad.isSample) part.live.textContent = `${words ?? ""} ${part.note.textContent}`;
    if (!prediction || !this.named("classify_digit").includes(COURSE)) return;
    await this.run("layers", async (options) =>
      this.vitrine.ask(`v1/digits/activations?model=${COURSE}`, await this.pad.toPicture(), "layers", options), ({ body }) => {
      showLayers(part.strip, prediction.input.image, body.layers);
      part.layersCaption.textContent = `The same picture in ${body.model.name}/${body.model.version}: lighter means more.`;
      part.layers.hidden = false;
    });
  }

  #forgetAnswer() {
    const { part } = this;
    this.close();
    this.say("");
    part.digit.textContent = "–";
    part.certainty.textContent = part.caption.textContent = "\u00a0";
    this.bars.clear();
    part.seen.hidden = part.layers.hidden = part.timing.hidden = true;
    part.steps.replaceChildren();
  }
}
