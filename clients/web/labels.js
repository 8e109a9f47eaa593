/** The labels room: one picture, what photo networks call it, and which piece of clothing it would be. */

import { showBars } from "./chart.js";
import { make, offer } from "./dom.js";
import { createPad } from "./pad.js";
import { figure, inWords, percent } from "./words.js";

const LABEL = "v1/images/label?top=5";
const CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];
const HEADS = { dense: "A new last layer", svm: "A support vector machine" };

export default function labelsRoom({ part, paced, say, showCommand, named }) {
  const { model } = part.form.elements;
  const pad = createPad(part, change);
  let heads = []; // those that are served

  const label = paced(async ({ ask }) => {
    const path = `${LABEL}&model=${encodeURIComponent(model.value)}`;
    const { model: by, predictions: [labels] } = await ask(path, await pad.toPicture(), "predictions");
    const names = labels.map(({ class_description: name }) => inWords(name));
    showBars(part.bars, names, labels.map(({ score }) => score));
    part.caption.textContent = `by ${by.name}/${by.version}; ${labels[0].class_name}`;
    part.live.textContent = `The network sees: ${names[0]}, ${percent(labels[0].score)}.`;
  });

  const classify = paced(async ({ ask }) => {
    const head = heads.length > 1 ? "both" : heads[0];
    const path = `v1/fashion/classify?head=${head}&return=input`;
    const { predictions: [prediction] } = await ask(path, await pad.toPicture(), "predictions");
    const answers = heads.map((each) => prediction[each] ?? prediction);
    const names = [...new Set(answers.map((answer) => answer.label))].join(" or ");
    part.verdict.textContent = heads.length > 1 ? `The two ${prediction.agree ? "agree" : "differ"}: ${names}.` : names;
    part.heads.replaceChildren(...answers.map((answer, index) => {
      const title = HEADS[heads[index]];
      const list = make("ol.bars.named", { ariaLabel: title });
      showScores(list, answer);
      return make("div", make("h3", `${title}: ${answer.label}`), list);
    }));
  });

  function change() {
    if (!pad.isEmpty) {
      if (heads.length) classify();
      if (model.value) label();
      return;
    }
    classify.stop();
    label.stop();
    say("");
    part.verdict.textContent = part.caption.textContent = "";
    for (const list of [part.bars, part.heads]) list.replaceChildren();
    showCommand(LABEL, new File([], "photo.jpg"));
  }

  part.form.onchange = change;
  return {
    start(state) {
      const models = named("classify_image");
      heads = Object.keys(HEADS).filter((head) => models.includes(`fashion-${head}`));
      const photos = models.filter((name) => !name.startsWith("fashion-"));
      offer(model, photos.sort((one, other) => (other === "labels") - (one === "labels")), state.get("model"));
      part.form.hidden = photos.length === 0;
      part.lacksLabels.hidden = photos.length > 0;
      part.lacksFashion.hidden = heads.length > 0;
      change();
    },
  };
}

/** Decision values have no scale of their own: the lowest is an empty bar, the highest a full one. */
function showScores(list, { head, scores }) {
  if (head === "dense") return showBars(list, CLOTHES, scores);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  showBars(list, CLOTHES, scores.map((score) => (score - low) / (high - low || 1)), { values: scores.map(figure) });
}
