/** The models room: the card of each model, as it was measured when it was made. */

import { Superseded, newestOnly } from "./api.js";
import { createCurves } from "./chart.js";
import { element, partsOf } from "./dom.js";
import { createNote } from "./note.js";
import { createRequest } from "./request.js";
import { createSamples } from "./samples.js";
import { curlCommand, figure } from "./words.js";

export default class ModelsRoom {
  #newest = newestOnly();

  constructor(host, { vitrine, remember }) {
    Object.assign(this, { vitrine, remember, part: partsOf(host) });
    this.note = createNote(this.part.note);
    this.request = createRequest(this.part.request);
    this.showSamples = createSamples(this.part.samples);
    this.part.list.addEventListener("change", ({ target }) => this.#show(target.value));
  }

  open(state, models) {
    const names = models.map(({ id }) => id);
    const chosen = names.includes(state.get("model")) ? state.get("model") : names[0];
    this.part.list.replaceChildren(...models.map(({ id, task }) => element("label", { className: "choice" },
      element("input", { type: "radio", name: "model", value: id, checked: id === chosen }),
      element("span", {}, element("b", { textContent: id }), (task ?? "not ready").replaceAll("_", " ")))));
    this.#show(chosen);
  }

  close() {
    this.#newest(async () => {}).catch(() => {});
  }

  async #show(model) {
    const url = new URL(`v1/models/${encodeURIComponent(model)}/card`, document.baseURI).href;
    this.remember({ model });
    this.request.showCommand(curlCommand(url, { withKey: Boolean(this.vitrine.key) }));
    try {
      const call = await this.#newest((signal) => this.vitrine.card(model, { signal }));
      this.note.say("");
      this.request.showTiming(call);
      this.#showCard(call.body);
    } catch (error) {
      if (!(error instanceof Superseded)) this.note.fail(error);
    }
  }

  #showCard(card) {
    const { part } = this;
    const { data = {}, metrics = {}, layers = [], history = {}, training = {} } = card;
    part.name.textContent = `${card.model.name}/${card.model.version}`;
    part.summary.textContent = card.summary ?? "";
    part.data.textContent = data.source ?? "";
    const facts = { ...metrics, parameters: card.parameters, "seconds of training": training.seconds };
    part.metrics.replaceChildren(...Object.entries(facts).flatMap(([name, value]) => describe(name, value)));
    part.curves.replaceChildren(...createCurves(history));
    part.inside.hidden = !part.curves.hasChildNodes();
    part.rows.replaceChildren(...layers.map((layer) => element("tr", {},
      ...[layer.name, layer.type, layer.shape.join(" × "), layer.parameters.toLocaleString("en"), layer.formula]
        .map((textContent) => element("td", { textContent })))));
    part.layers.hidden = layers.length === 0;
    this.showSamples(card);
    const pictures = Object.entries(card.pictures ?? {});
    part.gallery.replaceChildren(...pictures.map(([name, src]) => element("figure", {},
      element("img", { className: "pixels gallery", src, alt: `${name} of ${card.model.name}` }),
      element("figcaption", { textContent: name }))));
    part.pictures.hidden = pictures.length === 0;
  }
}

function describe(name, value) {
  const shown = figure(value);
  if (!shown) return [];
  return element("div", {}, element("dt", { textContent: name.replaceAll("_", " ") }), element("dd", { textContent: shown }));
}
