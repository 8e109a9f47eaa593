/** The text room: a beginning goes to the service, one text for each diversity comes back as it is written. */

import { Superseded } from "./api.js";
import { createBars } from "./bars.js";
import { Column } from "./column.js";
import { element, partsOf } from "./dom.js";
import { createNote } from "./note.js";
import { createRequest } from "./request.js";
import { createSamples } from "./samples.js";
import { alternatives, appendCharacters, meanSurprise, nameOf, watchCharacters } from "./surprise.js";
import { curlCommand, milliseconds, percent } from "./words.js";

const DIVERSITIES = [0.2, 0.5, 1];
const SEED_LENGTH = 40;
const MOST_NOTED = 20000; // characters of all texts of a request together
const ALTERNATIVES = 5;
const FIELDS = ["seed", "length", "random_seed", "top_k", "top_p"];
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
  const surprise = nats && `Text it never saw surprises it by ${nats.toFixed(3)} nats per character`;
  const beside = counted ? `, a 7-gram by ${counted.toFixed(3)}.` : ".";
  const guesses = right && commonest && ` It foresees ${percent(right)} of the characters; always saying the commonest, ${percent(commonest)}.`;
  return surprise ? `${surprise}${beside}${guesses ?? ""}` : "";
}

export default class TextRoom {
  #controller = new AbortController();
  #columns = [];
  #card = null;
  #asked = null; // the request whose texts are shown

  constructor(host, { vitrine, remember }) {
    Object.assign(this, { host, vitrine, remember, part: partsOf(host) });
    this.field = Object.fromEntries([...this.part.form.elements].map((each) => [each.name, each]));
    this.note = createNote(this.part.note);
    this.request = createRequest(this.part.request);
    this.showSamples = createSamples(this.part.samples);
    watchCharacters(this.part.seed, (character) => this.#showAlternatives(character));
    this.#listen();
  }

  open(state, models) {
    const names = models.filter(({ task }) => task === "generate_text").map(({ id }) => id);
    const { model } = this.field;
    const chosen = state.get("model") ?? model.value;
    model.replaceChildren(...names.map((name) => element("option", { textContent: name })));
    model.value = names.includes(chosen) ? chosen : names.includes("text") ? "text" : names[0];
    for (const name of FIELDS) if (state.has(name)) this.field[name].value = state.get(name);
    const wanted = (state.get("diversity") ?? "").split(",").filter(Boolean).map(Number).filter(Number.isFinite);
    if (wanted.length || !this.#columns.length) this.#arrange(wanted.length ? wanted.slice(0, 6) : DIVERSITIES);
    this.write();
    this.#readCard();
  }

  close() {
    this.#controller.abort();
  }

  /** Writes from the seed on. */
  write() {
    const seed = this.field.seed.value;
    this.#asked = this.#wanted();
    this.remember(this.#state());
    for (const column of this.#columns) column.begin(seed);
    this.#showRequest(this.#asked);
    return this.#run((signal) => Promise.all([this.#read(this.#asked, this.#columns, signal), this.#scoreSeed(seed, signal)]));
  }

  /** Goes on: by each text's own token, or, after a stop, by reading the same texts again. */
  goOn() {
    const columns = this.#columns;
    const most = Math.floor(MOST_NOTED / columns.length);
    const length = Math.min(most, Math.max(...columns.map((column) => column.length)) + Number(this.field.length.value));
    const again = { ...this.#asked, length };
    if (columns.some((column) => column.length >= length)) return this.note.say("These texts are as long as they can be.");
    this.#showRequest(again); // tokens are long, and the text is the same
    if (!columns.every(({ continuation }) => continuation)) {
      for (const column of columns) column.skip();
      return this.#run((signal) => this.#read(again, columns, signal));
    }
    const requests = columns.map((column) =>
      ({ continuation: column.continuation, length: length - column.length, logprobs: ALTERNATIVES }));
    return this.#run((signal) => Promise.all(columns.map((column, index) => this.#read(requests[index], [column], signal))));
  }

  #wanted() {
    const optional = Object.fromEntries(["top_k", "top_p"].flatMap((name) =>
      this.field[name].value === "" ? [] : [[name, Number(this.field[name].value)]]));
    return {
      seed: this.field.seed.value,
      diversity: this.#columns.map(({ diversity }) => diversity),
      length: Number(this.field.length.value),
      random_seed: Number(this.field.random_seed.value),
      ...optional,
      logprobs: ALTERNATIVES,
      stream: true,
    };
  }

  #state() {
    const values = FIELDS.map((name) => [name, this.field[name].value]);
    const diversity = this.#columns.map((column) => column.diversity).join(",");
    return { ...Object.fromEntries(values), diversity, model: this.field.model.value };
  }

  /** One job at a time; its errors end in the note. */
  async #run(job) {
    this.#controller.abort();
    const { signal } = (this.#controller = new AbortController());
    this.#setWriting(true);
    this.note.say("");
    try {
      await job(signal);
      this.part.live.textContent = "The texts are written.";
    } catch (error) {
      if (!(error instanceof Superseded)) this.note.fail(error);
    }
    if (this.#controller.signal === signal) this.#setWriting(false);
  }

  /** Reads one stream into columns, the stream's texts in their order. */
  async #read(request, columns, signal) {
    const began = performance.now();
    let first = 0;
    let count = 0;
    const onWait = (seconds, error) => this.note.wait(seconds, error);
    for (const column of columns) column.continuation = ""; // until its end has come
    const call = await this.vitrine.streamText(this.field.model.value, request, { signal, onWait });
    this.note.say("");
    this.request.showTiming(call);
    for await (const { index, text = "", logprobs = [], continuation } of call.events) {
      if (signal.aborted) return;
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

  async #scoreSeed(seed, signal) {
    this.seedSurprise = NaN;
    this.part.seed.replaceChildren();
    if (!seed) return;
    const answer = await this.vitrine.scoreText(this.field.model.value, seed, { signal }).catch(() => null);
    if (!answer) return; // the texts say what is wrong
    appendCharacters(this.part.seed, answer.body.characters);
    this.seedSurprise = meanSurprise(answer.body.characters);
    this.#showSurprise();
  }

  #showSurprise() {
    const { nats: unseen, symbols } = figuresOf(this.#card);
    const rows = [
      ["your beginning", this.seedSurprise],
      ...this.#columns.map((column) => [`diversity ${column.name}`, column.surprise]),
      ["text it never saw", unseen],
      ["guessing blindly", Math.log(symbols.length)],
    ].filter(([, nats]) => nats >= 0);
    const most = Math.max(...rows.map(([, nats]) => nats));
    createBars(this.part.bars, rows.map(([name]) => name))
      .show(rows.map(([, nats]) => nats / most), { best: 0, values: rows.map(([, nats]) => `${nats.toFixed(2)} nats`) });
  }

  #showAlternatives(character) {
    const rows = alternatives(character);
    const came = rows.findIndex(([each]) => each === character.character);
    this.part.alternativesTitle.textContent = `“${nameOf(character.character)}” came with ${percent(Math.exp(character.logprob))}`;
    createBars(this.part.alternatives, rows.map(([each]) => nameOf(each))).show(rows.map(([, share]) => share), { best: came });
  }

  async #readCard() {
    const name = this.field.model.value;
    const card = (await this.vitrine.card(name).catch(() => null))?.body ?? null; // the texts say what is wrong
    if (name !== this.field.model.value) return;
    this.#card = card;
    this.showSamples(card);
    this.part.figures.textContent = figuresInWords(card);
    this.part.quote.hidden = !card?.data?.seed;
    this.#showSurprise();
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

  #showRequest(json) {
    const url = new URL(`v1/text/generate?model=${encodeURIComponent(this.field.model.value)}`, document.baseURI).href;
    this.request.showCommand(curlCommand(url, { json, withKey: Boolean(this.vitrine.key) }));
  }

  #setWriting(isWriting) {
    const { stop, goOn } = this.part;
    stop.disabled = !isWriting;
    goOn.disabled = isWriting || !this.#columns.some((column) => column.length);
  }

  #listen() {
    const { part, field } = this;
    const start = (seed) => { field.seed.value = seed; this.write(); };
    part.form.addEventListener("submit", (event) => { event.preventDefault(); this.write(); });
    part.stop.addEventListener("click", () => this.#controller.abort());
    part.goOn.addEventListener("click", () => this.goOn());
    part.quote.addEventListener("click", () => start(this.#card.data.seed));
    part.noise.addEventListener("click", () => start(randomLetters(this.#letters())));
    part.dice.addEventListener("click", () => { field.random_seed.value = Math.floor(Math.random() * 2 ** 32); this.write(); });
    field.model.addEventListener("change", () => { this.write(); this.#readCard(); });
    field.seed.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.write();
    });
  }
}
