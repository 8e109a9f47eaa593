/** One text under way: the slider of its diversity, what it began with, and what the model wrote. */

import { make } from "./dom.js";
import { appendCharacters, watchCharacters } from "./surprisal_heatmap.js";

const SHOWN_SEED = 200; // characters; of a longer seed the end is shown
const TICK_MS = 80; // of the slow pen
const READING = 15; // characters a second of the slow pen at 1 ×

/** `write` is called after another diversity was chosen, `lookAt` with a character; `speed`: 0 writes at once. */
export function createColumn(diversity, write, lookAt, speed) {
  const output = make("output");
  const slider = make("input", { type: "range", max: 1.5, step: 0.05, value: diversity, oninput: showName, onchange: () => write() });
  const text = make("div.writing", { tabIndex: 0, role: "group" });
  let waiting = []; // characters that the slow pen has still to write
  let timer = 0;
  let owed = 0; // of a character, since the last tick

  function writeNext() {
    const isAtOnce = speed() === 0;
    owed = isAtOnce ? waiting.length : owed + speed() * READING * TICK_MS / 1000;
    const due = waiting.splice(0, Math.floor(owed));
    owed -= due.length;
    const isAtEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 48;
    appendCharacters(text, due);
    if (isAtEnd) text.scrollTop = text.scrollHeight;
    if (waiting.length) timer = setTimeout(writeNext, TICK_MS);
  }

  const column = {
    host: make("article.column", make("label", "diversity ", output, slider), text),
    characters: [],
    skipped: 0, // characters to come that are there already
    continuation: "", // once its end has come
    get diversity() { return Number(slider.value); },
    get name() { return column.diversity.toFixed(2).replace(/0$/, ""); },
    begin(seed) {
      Object.assign(column, { characters: [], skipped: 0, continuation: "" });
      clearTimeout(timer);
      waiting = [];
      owed = 0;
      text.replaceChildren(make("span.seed", seed.length > SHOWN_SEED ? `…${seed.slice(-SHOWN_SEED)}` : seed));
    },
    append(characters) {
      const fresh = characters.slice(column.skipped);
      column.skipped -= characters.length - fresh.length;
      column.characters.push(...fresh);
      waiting.push(...fresh);
      clearTimeout(timer);
      writeNext();
    },
  };
  function showName() {
    output.textContent = column.name;
    text.ariaLabel = `Text at diversity ${column.name}. Arrow keys look at one character after the other.`;
  }
  watchCharacters(text, lookAt);
  showName();
  return column;
}
