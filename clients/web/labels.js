/** The labels room: one picture, what photo networks call it, and which piece of clothing it would be. */

import { createBars } from "./bars.js";
import { element, offer } from "./dom.js";
import { createPacer } from "./pace.js";
import { Pad } from "./pad.js";
import { Room } from "./room.js";
import { figure, percent } from "./words.js";

const TOP = 5;
const NAMES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];
const HEADS = { dense: "fashion-dense", svm: "fashion-svm" };
const TITLES = { dense: "A new last layer", svm: "A support vector machine" };

export default class LabelsRoom extends Room {
  #pacer = createPacer(() => this.#look());

  constructor(host, site) {
    super(host, site);
    this.pad = new Pad(this.part, () => this.#change());
    this.part.form.addEventListener("change", () => this.#change());
  }

  start() {
    const fashion = Object.values(HEADS);
    const models = this.named("classify_image");
    const heads = Object.keys(HEADS).filter((head) => models.includes(HEADS[head]));
    this.head = heads.length === 2 ? "both" : heads[0];
    offer(this.part.form.elements.model, models.filter((name) => !fashion.includes(name)).sort((one, other) => (other === "labels") - (one === "labels")));
    this.part.form.hidden = !this.part.form.elements.model.value;
    this.part.lacksLabels.hidden = !this.part.form.hidden;
    this.part.lacksFashion.hidden = heads.length > 0;
    this.#change();
  }

  close() {
    this.#pacer.cancel();
    super.close();
  }

  #change() {
    const { part } = this;
    const { model } = part.form.elements;
    this.remember({ model: model.value });
    if (!this.pad.isEmpty) return this.#pacer.push();
    this.close();
    this.say("");
    part.verdict.textContent = part.caption.textContent = "";
    for (const list of [part.bars, part.heads]) list.replaceChildren();
    this.showCommand(`v1/images/label?top=${TOP}`, new File([], "photo.jpg"));
  }

  async #look() {
    const model = encodeURIComponent(this.part.form.elements.model.value);
    const picture = () => this.pad.toPicture();
    const asked = [];
    if (this.head) {
      asked.push(this.ask("fashion", `v1/fashion/classify?head=${this.head}&return=input`, picture, "predictions", (body) => this.#showHeads(body)));
    }
    if (model) {
      asked.push(this.ask("labels", `v1/images/label?top=${TOP}&model=${model}`, picture, "predictions", (body) => this.#showLabels(body)));
    }
    return (await Promise.all(asked)).every(Boolean);
  }

  #showLabels({ model, predictions: [labels] }) {
    const { part } = this;
    createBars(part.bars, labels.map(({ class_description: name }) => name.replaceAll("_", " "))).show(labels.map(({ score }) => score));
    part.caption.textContent = `by ${model.name}/${model.version}; ${labels[0].class_name}`;
    part.live.textContent = `The network sees: ${labels[0].class_description.replaceAll("_", " ")}, ${percent(labels[0].score)}.`;
  }

  #showHeads({ predictions: [prediction] }) {
    const answers = this.head === "both" ? prediction : { [this.head]: prediction };
    const heads = Object.keys(HEADS).filter((head) => answers[head]);
    this.part.verdict.textContent = "agree" in prediction
      ? `The two ${prediction.agree ? "agree" : "differ"}: ${heads.map((head) => answers[head].label).slice(prediction.agree ? 1 : 0).join(" or ")}.`
      : prediction.label;
    this.part.heads.replaceChildren(...heads.map((head) => {
      const list = element("ol", { className: "bars named", ariaLabel: TITLES[head] });
      showScores(list, head, answers[head]);
      return element("div", {}, element("h3", { textContent: `${TITLES[head]}: ${answers[head].label}` }), list);
    }));
  }
}

/** Decision values have no scale of their own: the lowest is an empty bar, the highest a full one. */
function showScores(list, head, { scores }) {
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const isDense = head === "dense";
  createBars(list, NAMES).show(isDense ? scores : scores.map((score) => (score - low) / (high - low || 1)),
    { values: scores.map((score) => (isDense ? percent(score) : figure(score))) });
}
