/** What every room does: the newest request of each kind, its command and timing, errors in a sentence, the address. */

import { newestOnly, Superseded, VitrineError } from "./api.js";
import { element, partsOf } from "./dom.js";
import { curlCommand, milliseconds, sentence, waitingSentence } from "./words.js";

/** A room has `start(state)`, called whenever the address leads to it; its elements are in `part`. */
export class Room {
  #newest = {};
  #state = {};

  /** `site`: the service as `vitrine`, the `models` known by now, and `remember(state)`. */
  constructor(host, site) {
    for (const place of host.querySelectorAll("[data-use]")) {
      place.append(document.getElementById(place.dataset.use).content.cloneNode(true));
    }
    Object.assign(this, { host, site, vitrine: site.vitrine, part: partsOf(host) });
    this.part.copy.addEventListener("click", () => this.#copy());
    host.addEventListener("submit", (event) => event.preventDefault());
    host.addEventListener("click", ({ target }) => this.#roll(target));
  }

  open(state) {
    for (const field of this.host.querySelectorAll("[name]:not([type=radio])")) {
      if (state.has(field.name)) field.value = state.get(field.name);
    }
    this.start(state);
  }

  /** Aborts what is under way. */
  close() {
    for (const kind of Object.keys(this.#newest)) this.stop(kind);
  }

  stop(kind) {
    this.#newest[kind]?.(async () => {}).catch(() => {});
  }

  /** The names of the models of a task. */
  named(task) {
    return this.site.models.filter((model) => model.task === task).map(({ id }) => id);
  }

  /** Runs `job(options)` and shows its result, unless a newer one of its kind came; resolves to whether none did. */
  async run(kind, job, show = () => {}) {
    const onWait = (seconds, error) => this.say(waitingSentence(seconds, error));
    try {
      show(await (this.#newest[kind] ??= newestOnly())((signal) => job({ signal, onWait })));
    } catch (error) {
      if (error instanceof Superseded) return false;
      this.fail(error);
    }
    return true;
  }

  /** Asks for JSON, with the command that does the same, and shows the body. `content` may be a function. */
  ask(kind, path, content, expected, show) {
    return this.run(kind, async (options) => {
      const posted = typeof content === "function" ? await content() : content;
      this.showCommand(path, posted);
      return this.vitrine.ask(path, posted, expected, options);
    }, (call) => {
      this.say("");
      this.showTiming(call);
      show(call.body);
    });
  }

  /** Goes into the address, beside what is there. */
  remember(values) {
    this.site.remember(Object.assign(this.#state, values));
  }

  say(text) {
    this.part.note.textContent = text;
    this.part.note.hidden = text === "";
  }

  fail(error) {
    const isKnown = error instanceof VitrineError;
    if (!isKnown) console.error(error);
    this.say(isKnown ? sentence(error.message) : "This page made a mistake. Please reload it.");
  }

  showCommand(path, content) {
    const { curl, save } = this.part;
    const isFile = content instanceof Blob;
    const posted = isFile ? { file: content.name ?? "digit.png" } : { json: content };
    curl.textContent = curlCommand(new URL(path, document.baseURI).href, { ...posted, withKey: Boolean(this.vitrine.key) });
    save.hidden = !isFile || "name" in content;
    if (save.hidden) return;
    URL.revokeObjectURL(save.href);
    save.href = URL.createObjectURL(content);
  }

  /** A thin bar and its legend: where the time of a call went. */
  showTiming({ timing, roundTripMs }) {
    const { bar, legend } = this.part;
    this.part.timing.hidden = !timing.length;
    bar.replaceChildren(...timing.map((step, index) => {
      const span = element("span", { className: `step-${index % 4}` });
      span.style.flexGrow = String(step.milliseconds);
      return span;
    }));
    legend.replaceChildren(...timing.map((step, index) => element("li", {},
      element("span", { className: `swatch step-${index % 4}` }), `${step.name} ${milliseconds(step.milliseconds)}`)),
    element("li", { textContent: `there and back ${milliseconds(roundTripMs)}` }));
  }

  async #copy() {
    const { curl, copy } = this.part;
    try {
      await navigator.clipboard.writeText(curl.textContent);
    } catch { // no clipboard without https: select it, so that two keys copy it
      getSelection().selectAllChildren(curl);
      document.execCommand("copy");
    }
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  }

  /** A button's `data-dice` names the fields that get another random seed. */
  #roll({ form, dataset }) {
    if (!dataset?.dice) return;
    for (const name of dataset.dice.split(" ")) form.elements[name].value = Math.floor(Math.random() * 2 ** 32);
    form.dispatchEvent(new Event("change", { bubbles: true }));
  }
}
