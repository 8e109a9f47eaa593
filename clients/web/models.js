/** The models room: the card of each model, as it was measured when it was made. */

import { createCurves } from "./chart.js";
import { element } from "./dom.js";
import { Room } from "./room.js";
import { createSamples } from "./samples.js";
import { figure, inWords } from "./words.js";

export default class ModelsRoom extends Room {
  constructor(host, site) {
    super(host, site);
    this.showSamples = createSamples(this.part.samples);
    this.part.list.addEventListener("change", ({ target }) => this.#show(target.value));
  }

  start(state) {
    const { models } = this.site;
    const names = models.map(({ id }) => id);
    const chosen = names.includes(state.get("model")) ? state.get("model") : names[0];
    this.part.list.replaceChildren(...models.map(({ id, task }) => element("label", { className: "choice" },
      element("input", { type: "radio", name: "model", value: id, checked: id === chosen }),
      element("span", {}, element("b", { textContent: id }), inWords(task ?? "not ready")))));
    this.#show(chosen);
  }

  #show(model) {
    this.remember({ model });
    this.ask("card", `v1/models/${encodeURIComponent(model)}/card`, null, "model", (card) => this.#showCard(card));
  }

  #showCard(card) {
    const { part } = this;
    const { data = {}, metrics = {}, history = {}, training = {} } = card;
    part.name.textContent = `${card.model.name}/${card.model.version}`;
    part.summary.textContent = card.summary ?? "";
    part.data.textContent = data.source ?? "";
    const facts = Object.entries({ ...metrics, parameters: card.parameters, "seconds of training": training.seconds });
    part.metrics.replaceChildren(...facts.filter(([, value]) => figure(value)).map(([name, value]) => element("div", {},
      element("dt", { textContent: inWords(name) }), element("dd", { textContent: figure(value) }))));
    part.curves.replaceChildren(...createCurves(history));
    part.inside.hidden = !part.curves.hasChildNodes();
    this.showSamples(card);
    part.gallery.replaceChildren(...Object.entries(card.pictures ?? {}).map(([name, src]) => element("figure", {},
      element("img", { className: "pixels", src, alt: `${inWords(name)} of ${card.model.name}` }),
      element("figcaption", { textContent: inWords(name) }))));
    part.pictures.hidden = !part.gallery.hasChildNodes();
    part.tables.replaceChildren(...Object.entries(card).filter(([name, rows]) => name !== "samples" && isTable(rows))
      .map(([name, rows]) => tableOf(inWords(name), rows)));
  }
}

const isTable = (rows) => Array.isArray(rows) && rows.length > 0 && rows.every((row) => row?.constructor === Object);

/** Rows with the same keys → a card with a table. */
function tableOf(title, rows) {
  const names = Object.keys(rows[0]);
  const line = (tag, texts) => element("tr", {}, ...texts.map((textContent) => element(tag, { textContent })));
  return element("section", { className: "card" }, element("h2", { textContent: title }),
    element("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: title }, element("table", {},
      element("thead", {}, line("th", names.map(inWords))),
      element("tbody", {}, ...rows.map((row) => line("td", names.map((name) =>
        (Array.isArray(row[name]) ? row[name].join(" × ") : figure(row[name])))))))));
}
