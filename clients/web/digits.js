/** The digits room: the drawing goes to the service, its answer into the room. */

import { showBars } from "./chart.js";
import { make } from "./dom.js";
import { showLayers, watchOverflow } from "./layers.js";
import { createPad } from "./pad.js";
import { percent } from "./words.js";

const SETTLED_MS = 400; // without a new stroke: announce the answer, look into the layers
const COURSE = "digits-course"; // the network that is looked into
const DIGITS = [..."0123456789"];

export default function digitsRoom({ part, paced, action, say, named }) {
  const pad = createPad(part, change);
  let latest = null; // the prediction that is shown
  showNothing();
  watchOverflow(part.strip);

  const classify = paced(async ({ ask, signal }) => {
    latest = null;
    try {
      show(await ask("v1/digits/classify?return=input", await pad.toPicture(), "predictions"));
    } finally {
      if (!signal.aborted) settle();
    }
  });

  const settle = action(async ({ pause, askQuietly }) => {
    await pause(SETTLED_MS);
    const words = latest ? `The model reads ${latest.digit}, ${percent(latest.probability)}.` : "";
    if (!pad.isSample) part.live.textContent = `${words} ${part.note.textContent}`;
    if (!latest || !named("classify_digit").includes(COURSE)) return;
    const { model, layers } = await askQuietly(`v1/digits/activations?model=${COURSE}`, await pad.toPicture(), "layers");
    showLayers(part.strip, part.seen.src, layers);
    part.layersCaption.textContent = `The same picture in ${model.name}/${model.version}: lighter means more.`;
    part.layers.hidden = false;
  });

  function change() {
    settle.stop();
    if (!pad.isEmpty) return classify();
    classify.stop();
    say("");
    showNothing();
  }

  function show({ model, predictions: [prediction] }) {
    const { digit, probability, probabilities, outlier, input } = (latest = prediction);
    if (outlier) say("This is probably no digit. The network has to name one all the same.", false);
    part.digit.textContent = digit;
    part.certainty.textContent = percent(probability);
    part.caption.textContent = `${pad.isSample ? "a sample, " : ""}read by ${model.name}/${model.version}`;
    showBars(part.bars, DIGITS, probabilities);
    part.seen.hidden = false;
    part.seen.src = input.image;
    part.steps.replaceChildren(...input.steps.map((step) => make("li", step)));
  }

  function showNothing() {
    part.digit.textContent = "–";
    part.certainty.textContent = part.caption.textContent = "\u00a0";
    showBars(part.bars, DIGITS, DIGITS.map(() => 0), { best: -1, values: [] });
    part.seen.hidden = part.layers.hidden = part.timing.hidden = true;
    part.steps.replaceChildren();
  }

  return {
    start() {
      if (pad.isEmpty) pad.showSample();
      classify();
    },
  };
}
