/** The models section: the card of each model, as it was measured when it was made. */

import { createCurve, measuresOf } from "./chart.js";
import { make } from "./dom.js";
import { createSamples } from "./samples.js";
import { figure, inWords } from "./format.js";

export default function modelsSection({ part, show, site, action }) {
  const showSamples = createSamples(part.samples);

  const showCard = action(async ({ ask }, id) => {
    const card = await ask(`v1/models/${id}/card`, null);
    const { model: { name, version }, summary = "", data, metrics, history = {}, training, parameters, pictures: images = {} } = card;
    const facts = Object.entries({ ...metrics, parameters, "seconds of training": training?.seconds });
    const curves = Object.entries(measuresOf(history));
    show({
      name: `${name}/${version}`,
      summary,
      data: data?.source ?? "",
      metrics: facts.filter(([, value]) => figure(value)).map(([fact, value]) => make("div", make("dt", inWords(fact)), make("dd", figure(value)))),
      curves: curves.map(([measure, values]) => createCurve(measure, values)),
      gallery: Object.entries(images).map(([title, src]) => make("figure",
        make("img.pixels", { src, alt: `${inWords(title)} of ${name}` }), make("figcaption", inWords(title)))),
      tables: Object.entries(card).filter(([title, rows]) => title !== "samples" && rows?.[0]?.constructor === Object)
        .map(([title, rows]) => createTable(inWords(title), rows)),
    });
    part.inside.hidden = !curves.length;
    part.images.hidden = !part.gallery.hasChildNodes();
    showSamples(card);
  });

  part.list.onchange = ({ target }) => showCard(target.value);
  return (state) => {
    const names = site.models.map(({ id }) => id);
    const chosen = names.includes(state.get("model")) ? state.get("model") : names[0];
    show({ list: site.models.map(({ id, task }) => make("label.choice",
      make("input", { type: "radio", name: "model", value: id, checked: id === chosen }),
      make("span", make("b", id), inWords(task ?? "not ready")))) });
    showCard(chosen);
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
