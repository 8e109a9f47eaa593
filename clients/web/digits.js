/** The digits section: the drawing goes to the service, its answer into the section. */

import { showBars } from "./chart.js";
import { make } from "./dom.js";
import { showLayers } from "./layers.js";
import { createDrawingCanvas } from "./drawing_canvas.js";
import { percent } from "./format.js";

const SETTLED_MS = 400; // without a new stroke: announce the answer, look into the layers
const COURSE = "digits-course"; // the network that is looked into

export default function digitsSection({ part, show, paced, action, say, named }) {
  const drawing = createDrawingCanvas(part, change);
  let latest = null; // the prediction that is shown

  const classify = paced(async ({ ask, signal }) => {
    latest = null;
    try {
      showAnswer(await ask("v1/digits/classify?return=input", await drawing.toImage()));
    } finally {
      if (!signal.aborted) settle();
    }
  });

  const settle = action(async ({ pause, askQuietly }) => {
    await pause(SETTLED_MS);
    const words = latest ? `The model reads ${latest.digit}, ${percent(latest.probability)}.` : "";
    if (!drawing.isSample) show({ live: `${words} ${part.note.textContent}` });
    if (!latest || !named("classify_digit").includes(COURSE)) return;
    const { model, layers } = await askQuietly(`v1/digits/activations?model=${COURSE}`, await drawing.toImage());
    showLayers(part.strip, part.seen.src, layers);
    show({ layersCaption: `The same picture in ${model.name}/${model.version}: lighter means more.` });
    part.layers.hidden = false;
  });

  function change() {
    settle.stop();
    if (!drawing.isEmpty) return classify();
    classify.stop();
    say("");
    showNothing();
  }

  function showAnswer({ model, predictions: [prediction] }) {
    latest = prediction;
    const { digit, probability, probabilities, outlier, input } = prediction;
    if (outlier) say("This is probably no digit. The network has to name one all the same.", false);
    show({
      digit,
      certainty: percent(probability),
      caption: `${drawing.isSample ? "a sample, " : ""}read by ${model.name}/${model.version}`,
      steps: input.steps.map((step) => make("li", step)),
    });
    showBars(part.bars, probabilities.map((share, each) => [each, share]));
    part.seen.hidden = false;
    part.seen.src = input.image;
  }

  function showNothing() {
    show({ digit: "–", certainty: "\u00a0", caption: "\u00a0", steps: [] });
    showBars(part.bars, Array.from({ length: 10 }, (_, digit) => [digit, 0, ""]), -1);
    part.seen.hidden = part.layers.hidden = part.timing.hidden = true;
  }

  showNothing();
  return () => {
    if (drawing.isEmpty) drawing.showSample();
    classify();
  };
}
