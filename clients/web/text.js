/** The text room: a beginning goes to the service, one text for each diversity comes back as it is written. */

import { createBars } from "./bars.js";
import { element, offer, valuesOf } from "./dom.js";
import { Room } from "./room.js";
import { createSamples } from "./samples.js";
import { alternatives, appendCharacters, meanSurprise, nameOf, watchCharacters } from "./surprise.js";
import { milliseconds, percent } from "./words.js";

const DIVERSITIES = [0.2, 0.5, 1];
const SEED_LENGTH = 40;
const SHOWN_SEED = 200; // characters; of a longer seed the end is shown
const MOST_NOTED = 20000; // characters of all texts of a request together
const ALTERNATIVES = 5;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** As many as the course's seeds have. */
export function randomLetters(alphabet, random = Math.random) {
  return Array.from({ length: SEED_LENGTH }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
}

/** What a card says about text that the model never saw; what it leaves out is undefined. */
function figuresOf(card) {
  const { metrics = {}, data = {}, configuration = {} } = card ?? {};
  return {
    nats: metrics.validation_nats_per_character,
    counted: metrics.kneser_ney_7_gram_nats_per_character,
    right: metrics.validation_accuracy?.value,
    commonest: metrics.accuracy_of_always_the_commonest?.value,
    symbols: [...data.vocabulary ?? configuration.vocabulary ?? ""],
  };
}

/** The same in a sentence or two. */
export function figuresInWords(card) {
  const { nats, counted, right, commonest } = figuresOf(card);
  if (!nats) return "";
  const beside = counted ? `, a 7-gram by ${counted.toFixed(3)}.` : ".";
  const guesses = right && commonest && ` It foresees ${percent(right)} of the characters; always saying the commonest, ${percent(commonest)}.`;
  return `Text it never saw surprises it by ${nats.toFixed(3)} nats per character${beside}${guesses ?? ""}`;
}

/** One text under way: its diversity, what it began with, and what the model wrote. */
class Column {
  characters = [];
  continuation = "";
  #skipped = 0;

  constructor(diversity, { onDiversity, onCharacter }) {
    this.output = element("output");
    this.slider = element("input", { type: "range", max: "1.5", step: "0.05", value: String(diversity) });
    this.text = element("div", { className: "writing", tabIndex: 0, role: "group" });
    this.host = element("article", { className: "column" },
      element("label", {}, "diversity ", this.output, this.slider), this.text);
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

  begin(seed) {
    this.characters = [];
    this.continuation = "";
    this.#skipped = 0;
    this.text.replaceChildren(element("span", { className: "seed", textContent:
      seed.length > SHOWN_SEED ? `…${seed.slice(-SHOWN_SEED)}` : seed }));
  }

  /** Lets pass what the column shows already, because the text is read again from its beginning. */
  skip() {
    this.#skipped = this.characters.length;
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

export default class TextRoom extends Room {
  #columns = [];
  #card = null;
  #asked = null; // the request whose texts are shown

  constructor(host, site) {
    super(host, site);
    this.field = Object.fromEntries([...this.part.form.elements].map((each) => [each.name, each]));
    this.showSamples = createSamples(this.part.samples);
    watchCharacters(this.part.seed, (character) => this.#showAlternatives(character));
    this.#listen();
  }

  start(state) {
    const { model } = this.field;
    const names = this.named("generate_text");
    offer(model, names);
    model.value = [state.get("model"), model.value, names[0]].find((name) => names.includes(name));
    const wanted = (state.get("diversity") ?? "").split(",").filter(Boolean).map(Number).filter(Number.isFinite);
    if (wanted.length || !this.#columns.length) this.#arrange(wanted.length ? wanted.slice(0, 6) : DIVERSITIES);
    this.write();
    this.#readCard();
  }

  /** Writes from the seed on. */
  write() {
    const { model, ...values } = valuesOf(this.part.form);
    const diversity = this.#columns.map((column) => column.diversity);
    const seed = values.seed ?? "";
    this.#asked = { ...values, seed, diversity, logprobs: ALTERNATIVES, stream: true };
    this.remember({ top_k: "", top_p: "", ...values, seed, diversity: diversity.join(","), model });
    for (const column of this.#columns) column.begin(seed);
    this.showCommand(this.#path("generate"), this.#asked);
    this.#scoreSeed(seed);
    return this.#write((options) => this.#read(this.#asked, this.#columns, options));
  }

  /** Goes on: by each text's own token, or, after a stop, by reading the same texts again. */
  goOn() {
    const columns = this.#columns;
    const longest = Math.max(...columns.map(({ characters }) => characters.length));
    const length = Math.min(Math.floor(MOST_NOTED / columns.length), longest + Number(this.field.length.value));
    const again = { ...this.#asked, length };
    if (longest >= length) return this.say("These texts are as long as they can be.");
    this.showCommand(this.#path("generate"), again); // tokens are long, and the text is the same
    if (!columns.every(({ continuation }) => continuation)) {
      for (const column of columns) column.skip();
      return this.#write((options) => this.#read(again, columns, options));
    }
    return this.#write((options) => Promise.all(columns.map((column) => this.#read({
      continuation: column.continuation, length: length - column.characters.length, logprobs: ALTERNATIVES, stream: true,
    }, [column], options))));
  }

  #path(verb) {
    return `v1/text/${verb}?model=${encodeURIComponent(this.field.model.value)}`;
  }

  async #write(job) {
    this.#setWriting(true);
    this.say("");
    const isNewest = await this.run("texts", job, () => { this.part.live.textContent = "The texts are written."; });
    if (isNewest) this.#setWriting(false);
  }

  /** Reads one stream into columns, the stream's texts in their order. */
  async #read(request, columns, options) {
    const began = performance.now();
    let first = 0;
    let count = 0;
    for (const column of columns) column.continuation = ""; // until its end has come
    const call = await this.vitrine.stream(this.#path("generate"), request, options);
    this.say("");
    this.showTiming(call);
    for await (const { index, text = "", logprobs = [], continuation } of call.events) {
      if (options.signal.aborted) return;
      first ||= performance.now() - began;
      count += text.length;
      columns[index].append(logprobs);
      if (continuation) columns[index].continuation = continuation;
    }
    const seconds = (performance.now() - began) / 1000;
    this.part.caption.textContent = `First characters after ${milliseconds(first)}, then `
      + `${Math.round(count / seconds).toLocaleString("en")} characters a second.`;
    this.#showSurprise();
  }

  async #scoreSeed(text) {
    this.seedSurprise = NaN;
    this.part.seed.replaceChildren();
    if (!text) return this.stop("seed");
    await this.run("seed", (options) => // the texts say what is wrong
      this.vitrine.ask(this.#path("score"), { text }, "characters", options).catch(() => null), (call) => {
      const characters = call?.body.characters ?? [];
      appendCharacters(this.part.seed, characters);
      this.seedSurprise = meanSurprise(characters);
      this.#showSurprise();
    });
  }

  #showSurprise() {
    const { nats, counted, symbols } = figuresOf(this.#card);
    const rows = [
      ["your beginning", this.seedSurprise],
      ...this.#columns.map((column) => [`diversity ${column.name}`, meanSurprise(column.characters)]),
      ["text it never saw", nats],
      ["a 7-gram, there", counted],
      ["guessing blindly", Math.log(symbols.length)],
    ].filter(([, value]) => value >= 0);
    const most = Math.max(...rows.map(([, value]) => value));
    createBars(this.part.bars, rows.map(([name]) => name)).show(rows.map(([, value]) => value / most),
      { best: 0, values: rows.map(([, value]) => `${value.toFixed(2)} nats`) });
  }

  #showAlternatives(character) {
    const rows = alternatives(character);
    const best = rows.findIndex(([each]) => each === character.character);
    this.part.alternativesTitle.textContent = `“${nameOf(character.character)}” came with ${percent(Math.exp(character.logprob))}`;
    createBars(this.part.alternatives, rows.map(([each]) => nameOf(each))).show(rows.map(([, share]) => share), { best });
  }

  #readCard() {
    const path = `v1/models/${encodeURIComponent(this.field.model.value)}/card`;
    this.run("card", (options) => this.vitrine.ask(path, null, "model", options).catch(() => null), (call) => {
      this.#card = call?.body ?? null;
      this.showSamples(this.#card);
      this.part.figures.textContent = figuresInWords(this.#card);
      this.part.quote.hidden = !this.#card?.data?.seed;
      this.#showSurprise();
    });
  }

  /** Those of the model's alphabet: it may be another than ours. */
  #letters() {
    const letters = figuresOf(this.#card).symbols.filter((symbol) => /\p{Ll}/u.test(symbol));
    return letters.length ? letters : LETTERS;
  }

  #arrange(diversities) {
    const told = { onDiversity: () => this.write(), onCharacter: (character) => this.#showAlternatives(character) };
    this.#columns = diversities.map((diversity) => new Column(diversity, told));
    this.part.columns.replaceChildren(...this.#columns.map(({ host }) => host));
  }

  #setWriting(isWriting) {
    this.part.stop.disabled = !isWriting;
    this.part.goOn.disabled = isWriting || !this.#columns.some(({ characters }) => characters.length);
  }

  #listen() {
    const { part, field } = this;
    const start = (seed) => { field.seed.value = seed; this.write(); };
    part.form.addEventListener("submit", () => this.write());
    part.form.addEventListener("change", ({ target }) => {
      if (target === part.form || target === field.model) this.write(); // dice, or another model
      if (target === field.model) this.#readCard();
    });
    part.stop.addEventListener("click", () => { this.stop("texts"); this.#setWriting(false); });
    part.goOn.addEventListener("click", () => this.goOn());
    part.quote.addEventListener("click", () => start(this.#card.data.seed));
    part.noise.addEventListener("click", () => start(randomLetters(this.#letters())));
    field.seed.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.write();
    });
  }
}
