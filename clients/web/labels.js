/** The labels section: one image, what photo networks call it, and which clothing it would be. */

import { showBars } from "./chart.js";
import { make } from "./dom.js";
import { createDrawingCanvas } from "./drawing_canvas.js";
import { PHOTOS } from "./examples.js";
import { inWords, percent } from "./format.js";
import { createHeatmap } from "./heatmap.js";

const CLOTHES = ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];
const HEADS = { dense: "A new last layer", svm: "A support vector machine" };

export default function labelsSection({ part, show, paced, action, later, remember, say, chooser, pathTo, named, site }) {
  const drawing = createDrawingCanvas(part, change, { examples: PHOTOS, remember, isDigit: false });
  let heads = []; // those that are served
  let best = []; // the labels that are shown

  const label = paced(async ({ ask }) => {
    const { model: by, predictions: [labels] } = await ask(pathTo("v1/images/label"), await drawing.toImage());
    best = labels;
    const rows = labels.map(({ class_description: name, score }) => [inWords(name), score]);
    showBars(part.bars, rows);
    show({
      caption: `by ${by.name}/${by.version}; ${labels[0].class_name}`,
      live: `The network sees: ${rows[0][0]}, ${percent(rows[0][1])}.`,
    });
  });

  const explain = action(async ({ ask }) => {
    const { explanations: [rows] } = await ask(pathTo("v1/images/explain", { top: best.length || undefined }), await drawing.toImage());
    heatmap.show(rows.map((row) => ({ ...row, key: row.class_name, name: inWords(row.class_description) })));
  }, { terminal: "explain" });
  const heatmap = createHeatmap(part, explain);

  const classify = paced(async ({ ask }) => {
    const path = `v1/fashion/classify?head=${heads.length > 1 ? "both" : heads[0]}&return=input`;
    const { predictions: [prediction] } = await ask(path, await drawing.toImage());
    const answers = heads.map((head) => prediction[head] ?? prediction);
    const names = [...new Set(answers.map((answer) => answer.label))].join(" or ");
    const isOutlier = answers.some(({ outlier }) => outlier);
    show({
      verdict: isOutlier ? "This is probably not clothing." : heads.length > 1 ? `The two ${prediction.agree ? "agree" : "differ"}: ${names}.` : names,
      doubt: isOutlier ? `The networks have to name one of ten all the same: ${names}.` : "",
      heads: answers.map(({ head, label: name, scores }) => {
        const list = make("ol.bars.named", { ariaLabel: HEADS[head] });
        showBars(list, head === "dense" ? scores.map((share, index) => [CLOTHES[index], share]) : decisions(scores));
        return make("div", make("h3", `${HEADS[head]}: ${name}`), list);
      }),
    });
    part.heads.classList.toggle("faint", isOutlier);
  }, { terminal: "fashion" });

  function change() {
    heatmap.clear();
    best = [];
    part.explain.disabled = drawing.isEmpty;
    if (!drawing.isEmpty) {
      if (heads.length) classify();
      if (chooser.value) label();
      return;
    }
    classify.stop();
    label.stop();
    say("");
    show({ verdict: "", doubt: "", caption: "", bars: [], heads: [] });
  }

  const teach = action(async () => {
    if (!part.teach.open || part.teaching.hasChildNodes()) return;
    const { createTeaching } = await later(() => import("./teach.js"));
    if (!part.teaching.hasChildNodes()) createTeaching(part.teaching, site.vitrine);
  });
  part.teach.ontoggle = () => teach();
  teach(); // it may have been opened before this module was there
  chooser.onchange = change;
  heatmap.watch(part.bars, (index) => best[index]?.class_name);
  return (state) => {
    const models = named("classify_image");
    heads = Object.keys(HEADS).filter((head) => models.includes(`fashion-${head}`));
    part.lacksLabels.hidden = chooser.value !== "";
    part.lacksFashion.hidden = heads.length > 0;
    drawing.restore(state);
    part.explain.disabled = drawing.isEmpty;
    if (drawing.isEmpty) drawing.suggest(PHOTOS[0]);
    else change();
  };
}

/** They have no scale of their own: the lowest is an empty bar, the highest a full one. */
function decisions(scores) {
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  return scores.map((score, index) => [CLOTHES[index], (score - low) / (high - low || 1), score.toFixed(2).replace("-", "−")]);
}
