/** How a model's text changed during training: one moment, one text for each diversity. */

import { make, useTemplate } from "./dom.js";

/** Fills an empty section from the page's template; the result shows a card's samples, or hides the section. */
export function createSamples(host) {
  const part = useTemplate(host, "samples");
  let samples = [];

  part.moment.oninput = () => {
    const { when, step, ...texts } = samples[part.moment.value];
    part.when.textContent = part.moment.ariaValueText = `after ${when}`;
    part.texts.replaceChildren(...Object.keys(texts).sort().map((diversity) => make("article.column",
      make("h3", `diversity ${diversity}`), make("div.writing", { tabIndex: 0 }, texts[diversity]))));
  };

  return (card) => {
    samples = card?.samples ?? card?.history?.samples ?? [];
    host.hidden = !samples.length;
    part.moment.max = part.moment.value = samples.length - 1;
    if (samples.length) part.moment.oninput();
  };
}
