/** The models room: the card of each model, as it was measured when it was made. */

import { createCurve, measuresOf } from "./chart.js";
import { make } from "./dom.js";
import { createSamples } from "./samples.js";
import { figure, inWords } from "./words.js";

export default function modelsRoom({ part, site, action }) {
  const showSamples = createSamples(part.samples);

  const show = action(async ({ ask }, name) => {
    const card = await ask(`v1/models/${encodeURIComponent(name)}/card`, null, "model");
    const { model, summary = "", data = {}, metrics = {}, history = {}, training = {}, pictures = {} } = card;
    part.name.textContent = `${model.name}/${model.version}`;
    part.summary.textContent = summary;
    part.data.textContent = data.source ?? "";
    const facts = Object.entries({ ...metrics, parameters: card.parameters, "seconds of training": training.seconds });
    part.metrics.replaceChildren(...facts.filter(([, value]) => figure(value))
      .map(([fact, value]) => make("div", make("dt", inWords(fact)), make("dd", figure(value)))));
    const curves = Object.entries(measuresOf(history));
    part.curves.replaceChildren(...curves.map(([measure, values]) => createCurve(measure, values)));
    part.inside.hidden = !curves.length;
    showSamples(card);
    part.gallery.replaceChildren(...Object.entries(pictures).map(([title, src]) => make("figure",
      make("img.pixels", { src, alt: `${inWords(title)} of ${model.name}` }), make("figcaption", inWords(title)))));
    part.pictures.hidden = !part.gallery.hasChildNodes();
    part.tables.replaceChildren(...Object.entries(card)
      .filter(([title, rows]) => title !== "samples" && rows?.[0]?.constructor === Object)
      .map(([title, rows]) => createTable(inWords(title), rows)));
  });

  part.list.onchange = ({ target }) => show(target.value);
  return {
    start(state) {
      const names = site.models.map(({ id }) => id);
      const chosen = names.includes(state.get("model")) ? state.get("model") : names[0];
      part.list.replaceChildren(...site.models.map(({ id, task }) => make("label.choice",
        make("input", { type: "radio", name: "model", value: id, checked: id === chosen }),
        make("span", make("b", id), inWords(task ?? "not ready")))));
      show(chosen);
    },
  };
}

/** Rows with the same keys → a card with a table. */
function createTable(title, rows) {
  const names = Object.keys(rows[0]);
  const textOf = (value) => (Array.isArray(value) ? value.join(" × ") : figure(value));
  const line = (tag, texts) => make("tr", texts.map((text) => make(tag, text)));
  return make("section.card", make("h2", title), make("div.scroll", { tabIndex: 0, role: "region", ariaLabel: title },
    make("table", make("thead", line("th", names.map(inWords))),
      make("tbody", rows.map((row) => line("td", names.map((name) => textOf(row[name]))))))));
}
