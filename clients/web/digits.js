/** The digits section: the drawing goes to the service, its answer into the section. */

import { showBars } from "./chart.js";
import { make } from "./dom.js";
import { createDrawingCanvas } from "./drawing_canvas.js";
import { DIGITS } from "./examples.js";
import { percent } from "./format.js";
import { createHeatmap } from "./heatmap.js";

const SETTLED_MS = 400; // without a new stroke: announce the answer, look into the layers

export default function digitsSection({ part, show, paced, action, later, remember, say, chooser, pathTo, named, terminals }) {
  const drawing = createDrawingCanvas(part, change, { examples: DIGITS, remember });
  let latest = null; // the prediction that is shown
  let layers = null; // once their module is there

  const classify = paced(async ({ ask, signal }) => {
    latest = null;
    try {
      showAnswer(await ask(pathTo("v1/digits/classify", { return: "input" }), await drawing.toImage()));
    } finally {
      if (!signal.aborted) settle();
    }
  });

  const settle = action(async ({ pause, askQuietly, signal }) => {
    await pause(SETTLED_MS);
    const words = latest ? `The model reads ${latest.digit}, ${percent(latest.probability)}.` : "";
    if (!drawing.isSample) show({ live: `${words} ${part.note.textContent}` });
    if (!latest) return;
    const image = await drawing.toImage();
    if (part.comparison.open) compare();
    const answer = await askQuietly(pathTo("v1/digits/activations"), image).catch(() => null); // not every model shows its layers
    part.layers.hidden = !answer;
    if (!answer) return;
    const { createLayers } = await later(() => import("./layers.js"));
    if (!latest || signal.aborted) return;
    layers ??= createLayers(part, askFilter);
    layers.show(part.seen.src, answer.layers, latest.probabilities);
    show({ layersCaption: `The same image in ${answer.model.name}/${answer.model.version}. Each map has its own grey scale: white is its highest value. Point at one to see what it is computed from; click to keep it.` });
  });

  const askFilter = paced(async ({ askQuietly, signal }, { layer, map }) => {
    const image = await drawing.toImage();
    const filter = await askQuietly(pathTo("v1/digits/filter", { layer, map }), image).catch(() => null); // of an imported model
    if (!signal.aborted) layers.showFilter(filter);
  });

  const explain = action(async ({ ask }) => {
    const { explanations: [rows] } = await ask(pathTo("v1/digits/explain", { top: 10 }), await drawing.toImage());
    heatmap.show(rows.map((row) => ({ ...row, key: row.digit, name: `a ${row.digit}` })));
  }, { terminal: "explain" });
  const heatmap = createHeatmap(part, explain);

  const compare = action(async ({ askQuietly }) => {
    const { compareModels } = await later(() => import("./model_comparison.js"));
    show({ compared: await compareModels(named("classify_digit"), askQuietly, await drawing.toImage()) });
  });

  function change() {
    settle.stop();
    heatmap.clear();
    part.explain.disabled = drawing.isEmpty;
    if (!drawing.isEmpty) return classify();
    classify.stop();
    compare.stop();
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
    show({ digit: "–", certainty: "\u00a0", caption: "\u00a0", steps: [], compared: [] });
    showBars(part.bars, Array.from({ length: 10 }, (_, digit) => [digit, 0, ""]), -1);
    part.seen.hidden = part.layers.hidden = true;
    terminals.main.hideTiming();
  }

  chooser.onchange = change;
  part.comparison.ontoggle = () => part.comparison.open && !drawing.isEmpty && compare();
  heatmap.watch(part.bars, (index) => index);
  showNothing();
  return (state) => {
    drawing.restore(state);
    part.explain.disabled = drawing.isEmpty;
    if (!drawing.isEmpty) classify();
  };
}
