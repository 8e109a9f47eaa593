/** One text under way: its diversity, what it began with, and what the model wrote. */

import { element } from "./dom.js";
import { appendCharacters, meanSurprise, watchCharacters } from "./surprise.js";

const SHOWN_SEED = 200; // characters; of a longer seed the end is shown

export class Column {
  #skipped = 0;

  constructor(diversity, { onDiversity, onCharacter }) {
    this.characters = [];
    this.continuation = "";
    this.output = element("output");
    this.slider = element("input", { type: "range", min: "0", max: "1.5", step: "0.05", value: String(diversity) });
    this.text = element("div", { className: "writing", tabIndex: 0 });
    this.text.setAttribute("role", "group");
    const label = element("label", {}, element("span", {}, "diversity ", this.output), this.slider);
    this.host = element("article", { className: "column" }, label, this.text);
    this.slider.addEventListener("input", () => this.#showDiversity());
    this.slider.addEventListener("change", onDiversity);
    watchCharacters(this.text, onCharacter);
    this.#showDiversity();
  }

  get diversity() {
    return Number(this.slider.value);
  }

  /** Of the diversity: 0.2, 1.0, 0.25. */
  get name() {
    return this.diversity.toFixed(2).replace(/0$/, "");
  }

  get length() {
    return this.characters.length;
  }

  /** NaN while nothing is written. */
  get surprise() {
    return meanSurprise(this.characters);
  }

  /** Starts anew. */
  begin(seed) {
    const shown = seed.length > SHOWN_SEED ? `…${seed.slice(-SHOWN_SEED)}` : seed;
    this.characters = [];
    this.continuation = "";
    this.#skipped = 0;
    this.text.replaceChildren(element("span", { className: "seed", textContent: shown }));
  }

  /** Lets pass what the column shows already, because the text is read again from its beginning. */
  skip() {
    this.#skipped = this.length;
  }

  append(characters) {
    const fresh = characters.slice(this.#skipped);
    this.#skipped -= characters.length - fresh.length;
    this.characters.push(...fresh);
    const isAtEnd = this.text.scrollTop + this.text.clientHeight >= this.text.scrollHeight - 48;
    appendCharacters(this.text, fresh);
    if (isAtEnd) this.text.scrollTop = this.text.scrollHeight;
  }

  #showDiversity() {
    this.output.textContent = this.name;
    this.text.ariaLabel = `Text at diversity ${this.name}. Arrow keys look at one character after the other.`;
  }
}
