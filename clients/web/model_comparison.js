/** The comparison of models: the same drawing, sent to every digit classifier. */

import { showBars } from "./chart.js";
import { make } from "./dom.js";
import { percent } from "./format.js";

/** A column for each of the models, with its probabilities and how long its answer took. */
export const compareModels = (models, ask, image) => Promise.all(models.map(async (model) => {
  const began = performance.now();
  const { predictions: [{ digit, probability, probabilities }] } = await ask(`v1/digits/classify?model=${model}`, image);
  const list = make("ol.bars", { ariaLabel: `Probabilities of ${model}` });
  showBars(list, probabilities.map((share, each) => [each, share]));
  return make("article.column", make("h3", model), make("p.certainty", `${digit}, ${percent(probability)}`),
    make("p.fine", `answered in ${Math.round(performance.now() - began)} ms`), list);
}));
