/** How a model's text changed while it learned: a moment of its training, one text for each diversity. */

import { element, partsOf } from "./dom.js";

/** Fills an empty section from the page's template; the result shows a card's samples, or hides the section. */
export function createSamples(host) {
  host.append(document.getElementById("samples").content.cloneNode(true));
  const part = partsOf(host);
  let samples = [];
  function show() {
    const { when, step, ...texts } = samples[Number(part.moment.value)];
    part.when.textContent = part.moment.ariaValueText = `after ${when}`;
    part.texts.replaceChildren(...Object.keys(texts).sort().map((diversity) => element("article", { className: "column" },
      element("h3", { textContent: `diversity ${diversity}` }),
      element("div", { className: "writing", textContent: texts[diversity], tabIndex: 0 }))));
  }
  part.moment.addEventListener("input", show);
  return (card) => {
    samples = card?.samples ?? card?.history?.samples ?? [];
    host.hidden = samples.length === 0;
    part.moment.max = part.moment.value = String(samples.length - 1);
    if (!host.hidden) show();
  };
}
