/** The labels section: one picture, what photo networks call it, and which piece of clothing it would be. */

import { showBars } from "./chart.js";
import { make, offer } from "./dom.js";
import { createDrawingCanvas } from "./drawing_canvas.js";
import { figure, inWords, percent } from "./format.js";

const LABEL = "v1/images/label?top=5";
const CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];
const HEADS = { dense: "A new last layer", svm: "A support vector machine" };

export default function labelsSection({ part, show, paced, say, showCommand, named }) {
  const { model } = part.form.elements;
  const drawing = createDrawingCanvas(part, change);
  let heads = []; // those that are served

  const label = paced(async ({ ask }) => {
    const path = `${LABEL}&model=${model.value}`;
    const { model: by, predictions: [labels] } = await ask(path, await drawing.toImage());
    const rows = labels.map(({ class_description: name, score }) => [inWords(name), score]);
    showBars(part.bars, rows);
    show({
      caption: `by ${by.name}/${by.version}; ${labels[0].class_name}`,
      live: `The network sees: ${rows[0][0]}, ${percent(rows[0][1])}.`,
    });
  });

  const classify = paced(async ({ ask }) => {
    const path = `v1/fashion/classify?head=${heads.length > 1 ? "both" : heads[0]}&return=input`;
    const { predictions: [prediction] } = await ask(path, await drawing.toImage());
    const answers = heads.map((head) => prediction[head] ?? prediction);
    const names = [...new Set(answers.map((answer) => answer.label))].join(" or ");
    show({
      verdict: heads.length > 1 ? `The two ${prediction.agree ? "agree" : "differ"}: ${names}.` : names,
      heads: answers.map(({ head, label: name, scores }) => {
        const list = make("ol.bars.named", { ariaLabel: HEADS[head] });
        showBars(list, head === "dense" ? scores.map((share, index) => [CLOTHES[index], share]) : decisions(scores));
        return make("div", make("h3", `${HEADS[head]}: ${name}`), list);
      }),
    });
  });

  function change() {
    if (!drawing.isEmpty) {
      if (heads.length) classify();
      if (model.value) label();
      return;
    }
    classify.stop();
    label.stop();
    say("");
    show({ verdict: "", caption: "", bars: [], heads: [] });
    showCommand(LABEL, new File([], "photo.jpg"));
  }

  part.form.onchange = change;
  return (state) => {
    const models = named("classify_image");
    heads = Object.keys(HEADS).filter((head) => models.includes(`fashion-${head}`));
    const photos = models.filter((name) => !name.startsWith("fashion-"));
    offer(model, photos.sort((one, other) => (other === "labels") - (one === "labels")), state.get("model"));
    part.form.hidden = !photos.length;
    part.lacksLabels.hidden = photos.length > 0;
    part.lacksFashion.hidden = heads.length > 0;
    change();
  };
}

/** They have no scale of their own: the lowest is an empty bar, the highest a full one. */
function decisions(scores) {
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  return scores.map((score, index) => [CLOTHES[index], (score - low) / (high - low || 1), figure(score)]);
}
