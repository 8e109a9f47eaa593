/** The models section: the card of each model, as it was measured when it was made. */

import { mainFigures } from "./card_figures.js";
import { createCurve, measuresOf } from "./chart.js";
import { make, tableOf } from "./dom.js";
import { figure, inWords, sentenceCase } from "./format.js";
import { inOrder } from "./model_list.js";
import { createSamples } from "./samples.js";

export default function modelsSection(section) {
  const { part, show, site, action, later } = section;
  const showSamples = createSamples(part.samples);
  let showTensorForm = null; // once its module is there

  const showCard = action(async ({ ask }, id) => {
    const card = await ask(`v1/models/${id}/card`, null);
    const { model: { name, version }, summary = "", description = "", data, metrics, history = {}, training, parameters, pictures: images = {} } = card;
    const curves = Object.entries(measuresOf(history)).filter(([measure]) => measure !== "seconds");
    show({
      name: `${name}/${version}`,
      summary: codeIn(summary),
      description: codeIn(description),
      data: data?.source ? `Trained on: ${data.source}` : "",
      figures: mainFigures(card).map((line) => make("li", line)),
      curves: curves.map(([measure, values]) => createCurve(measure, values)),
      gallery: Object.entries(images).map(([title, src]) => make("figure",
        make("img.pixels", { src, alt: `${inWords(title)} of ${name}` }), make("figcaption", inWords(title)))),
      tables: [...tablesOf(card), createFacts({ ...metrics, parameters, "seconds of training": training?.seconds })],
    });
    part.inside.hidden = !curves.length;
    part.images.hidden = !part.gallery.hasChildNodes();
    showSamples(card);
    part.tensors.hidden = card.task !== "tensors";
    if (part.tensors.hidden) return;
    const { createTensorForm } = await later(() => import("./tensor_form.js"));
    showTensorForm ??= createTensorForm(section);
    showTensorForm(card);
  });

  part.list.onchange = ({ target }) => showCard(target.value);
  return (state) => {
    const models = inOrder(site.models);
    const names = models.map(({ id }) => id);
    const before = part.list.querySelector(":checked")?.value;
    const chosen = [state.get("model"), before, names[0]].find((name) => names.includes(name));
    show({ list: models.map(({ id, task }) => make("label.choice",
      make("input", { type: "radio", name: "model", value: id, checked: id === chosen }),
      make("span", make("b", id), inWords(task ?? "not ready")))) });
    showCard(chosen);
  };
}

/** What stands between `backquotes` is code. */
const codeIn = (text) => text.split("`").map((piece, index) => (index % 2 ? make("code", piece) : piece));

/** The layers first, and every other list of rows of a card, folded. */
function tablesOf(card) {
  const rows = Object.entries(card).filter(([title, each]) => title !== "samples" && each?.[0]?.constructor === Object);
  return rows.sort(([one], [other]) => (other === "layers") - (one === "layers"))
    .map(([title, each]) => make("details.card", make("summary", sentenceCase(inWords(title))), createTable(inWords(title), each)));
}

function createFacts(facts) {
  const known = Object.entries(facts).filter(([, value]) => figure(value));
  return make("details.card", make("summary", "All measurements"),
    make("dl.metrics", known.map(([fact, value]) => make("div", make("dt", inWords(fact)), make("dd", figure(value))))));
}

/** Rows with the same keys → a table. */
function createTable(title, rows) {
  const names = Object.keys(rows[0]);
  const textOf = (value) => (Array.isArray(value) ? value.join(" × ") : figure(value));
  return tableOf(title, names.map(inWords), rows.map((row) => names.map((name) => textOf(row[name]))));
}
