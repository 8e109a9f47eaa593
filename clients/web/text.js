/** The text section: a seed goes to the service, one text for each diversity comes back as it is generated. */

import { showBars } from "./chart.js";
import { numbersOf } from "./dom.js";
import { drawsAfter, likeliest } from "./next_letter.js";
import { createSamples } from "./samples.js";
import { alternatives, appendCharacters, meanSurprise, nameOf, watchCharacters } from "./surprisal_heatmap.js";
import { createColumn } from "./text_column.js";
import { milliseconds, percent } from "./format.js";

const DIVERSITIES = [0.2, 0.5, 1];
const MOST_NOTED = 20000; // characters of all texts of a request together
const NOTED = { logprobs: 5, stream: true, unknown: "replace" };
const FALLBACK_SEED = "The "; // of a model whose card names none

/** As many as the course's seeds have. */
export const randomLetters = (alphabet, random = Math.random) =>
  Array.from({ length: 40 }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");

/** In nats per character, of text that the model never saw: its own, and that of counting seven characters. */
const surpriseOf = (card) => [card?.metrics?.validation_nats_per_character, card?.metrics?.kneser_ney_7_gram_nats_per_character];

/** What a card says about that, in a sentence or two. */
export function figuresInWords(card) {
  const [nats, counted] = surpriseOf(card);
  if (!nats) return "";
  const { validation_accuracy: right, accuracy_of_always_the_commonest: commonest } = card.metrics;
  const beside = counted ? ` (a 7-gram model: ${counted.toFixed(3)}).` : ".";
  const guesses = right && commonest
    ? ` It predicts ${percent(right.value)} of the characters; always predicting the commonest is right for ${percent(commonest.value)}.` : "";
  return `On unseen text its surprisal is ${nats.toFixed(3)} nats per character${beside}${guesses}`;
}

/** Which characters the model has never seen, and what was done about them. */
export const replacedSentence = (characters, model) =>
  `${model} has never seen ${characters.map((each) => `“${nameOf(each)}”`).join(", ")}: a space stands in for ${characters.length > 1 ? "each of them" : "it"}.`;

export default function textSection({ part, show, action, remember, say, valuesOf, chooser, pathTo }) {
  const { seed: beginning, pen } = part.form.elements;
  const showSamples = createSamples(part.samples);
  let columns = [];
  let card = null;
  let asked = null; // the request whose texts are shown
  let seedSurprise = NaN;
  let isSeedOurs = true; // not typed by anybody: it changes with the model

  let pending = null; // the next letter, drawn but not written: { character, continuation }

  const path = (verb) => pathTo(`v1/text/${verb}`);
  const speed = () => Number(pen.value);
  const symbols = () => [...card?.data?.vocabulary ?? card?.configuration?.vocabulary ?? ""];

  /** Reads the stream of each request into its columns; `command` does all of it. */
  const read = action(async ({ events }, command, requests) => {
    say("");
    await Promise.all(requests.map(async ([request, texts]) => {
      const began = performance.now();
      let first = 0;
      let count = 0;
      for (const column of texts) column.continuation = "";
      for await (const { index, logprobs = [], continuation = "", replaced = [] } of await events(path("generate"), request, command)) {
        if (replaced.length) say(replacedSentence(replaced, chooser.value), false);
        first ||= performance.now() - began;
        count += logprobs.length;
        texts[index].append(logprobs);
        texts[index].continuation = continuation;
      }
      const speed = Math.round(1000 * count / (performance.now() - began)).toLocaleString("en");
      show({ caption: `First characters after ${milliseconds(first)}, then ${speed} characters a second.` });
      showSurprise();
    }));
    show({ live: "The texts are written." });
  }, { whileRunning: (isWriting) => {
    part.stop.disabled = !isWriting;
    part.goOn.disabled = isWriting || !columns.some(({ characters }) => characters.length);
  } });

  const write = action(async () => {
    const { model: _, pen: __, seed = "", ...others } = valuesOf(part.form);
    step.stop();
    pending = null;
    asked = { seed, ...others, diversity: columns.map(({ diversity }) => diversity), ...NOTED };
    remember({ diversity: asked.diversity.join() });
    for (const column of columns) column.begin(seed);
    scoreSeed(seed);
    read(asked, [[asked, columns]]);
  });

  /** Goes on: by each text's own token, or, after a stop, by reading the same texts again. */
  const goOn = action(async () => {
    step.stop();
    pending = null;
    const longest = Math.max(...columns.map(({ characters }) => characters.length));
    const length = Math.min(Math.floor(MOST_NOTED / columns.length), longest + valuesOf(part.form).length);
    if (longest >= length) return say("These texts have the maximum length.");
    const again = { ...asked, length }; // the command too: tokens are long, and the text is the same
    if (columns.every(({ continuation }) => continuation)) {
      read(again, columns.map((column) =>
        [{ continuation: column.continuation, length: length - column.characters.length, ...NOTED }, [column]]));
    } else {
      for (const column of columns) column.skipped = column.characters.length;
      read(again, [[again, columns]]);
    }
  });

  /** Shows the ten likeliest next letters of the first column, and draws one; at the next call that is written. */
  const step = action(async ({ ask, askQuietly }) => {
    read.stop();
    const [column] = columns;
    if (pending) {
      column.append([pending.character]);
      column.continuation = pending.continuation;
    }
    const { name, diversity, characters } = column;
    const soFar = asked.seed + characters.map(({ character }) => character).join("");
    const from = column.continuation ? { continuation: column.continuation } : { ...asked, diversity, seed: soFar };
    const [{ generations: [{ logprobs: [character], continuation }] }, { choices }] = await Promise.all([
      ask(path("generate"), { ...from, ...NOTED, stream: false, length: 1 }),
      askQuietly("v1/completions", drawsAfter(soFar, chooser.value, asked.random_seed)),
    ]);
    pending = { character, continuation };
    show({ alternativesTitle: `What may come next at diversity ${name}: “${nameOf(character.character)}” is drawn; press again to write it` });
    const rows = likeliest(choices, diversity);
    showBars(part.alternatives, rows.map(([each, share]) => [nameOf(each), share]), rows.findIndex(([each]) => each === character.character));
  });

  const scoreSeed = action(async ({ askQuietly }, text) => {
    seedSurprise = NaN;
    show({ seed: "" });
    const found = text && await askQuietly(path("score"), { text, unknown: "replace" }).catch(() => null); // the texts say what is wrong
    if (!found) return;
    appendCharacters(part.seed, found.characters);
    seedSurprise = meanSurprise(found.characters);
    showSurprise();
  });

  function showSurprise() {
    const [nats, counted] = surpriseOf(card);
    const rows = [
      ["your beginning", seedSurprise],
      ...columns.map(({ name, characters }) => [`diversity ${name}`, meanSurprise(characters)]),
      ["unseen text", nats],
      ["7-gram, unseen", counted],
      ["uniform guess", Math.log(symbols().length)],
    ].filter(([, value]) => value >= 0);
    const most = Math.max(...rows.map(([, value]) => value));
    showBars(part.bars, rows.map(([name, value]) => [name, value / most, `${value.toFixed(2)} nats`]), 0);
  }

  function lookAt(looked) {
    const rows = alternatives(looked);
    show({ alternativesTitle: `“${nameOf(looked.character)}” had a probability of ${percent(Math.exp(looked.logprob))}` });
    showBars(part.alternatives, rows.map(([each, share]) => [nameOf(each), share]), rows.findIndex(([each]) => each === looked.character));
  }

  const readCard = action(async ({ askQuietly }) => {
    card = await askQuietly(`v1/models/${chooser.value}/card`, null).catch(() => null);
    showSamples(card);
    show({ figures: figuresInWords(card) });
    part.quote.hidden = !card?.data?.seed;
    if (isSeedOurs) begin(card?.data?.seed ?? FALLBACK_SEED, true);
    showSurprise();
  });

  function begin(seed, isOurs) {
    beginning.value = seed;
    beginning.scrollTop = beginning.scrollHeight; // where the text goes on
    isSeedOurs = isOurs;
    write();
  }

  part.form.onsubmit = () => write();
  part.form.onchange = ({ target }) => {
    if (target === pen) return;
    if (target === part.form || (target === chooser && !isSeedOurs)) write(); // dice, or another model
    if (target === chooser) readCard();
  };
  beginning.oninput = () => { isSeedOurs = false; };
  part.stop.onclick = read.stop;
  part.goOn.onclick = () => goOn();
  part.step.onclick = () => step();
  part.quote.onclick = () => begin(card.data.seed, true);
  part.noise.onclick = () => {
    const letters = symbols().filter((symbol) => /\p{Ll}/u.test(symbol)); // it may be another alphabet than ours
    begin(randomLetters(letters.length ? letters : "abcdefghijklmnopqrstuvwxyz"), false);
  };
  beginning.onkeydown = ({ key, ctrlKey, metaKey }) => {
    if (key === "Enter" && (ctrlKey || metaKey)) write();
  };
  watchCharacters(part.seed, lookAt);
  return (state) => {
    const wanted = numbersOf(state.get("diversity")).slice(0, 6);
    if (wanted.length || !columns.length) {
      columns = (wanted.length ? wanted : DIVERSITIES).map((diversity) => createColumn(diversity, write, lookAt, speed));
      show({ columns: columns.map(({ host }) => host) });
    }
    isSeedOurs = !state.has("seed") && (isSeedOurs || !beginning.value);
    if (!isSeedOurs) write();
    readCard();
  };
}
