/**
 * How surprised the model was by each character: the less likely it found it, the stronger the tint.
 * A character is as in the API's `logprobs`: {character, logprob, top: {character: logprob}}.
 */

import { make, watchArrows } from "./dom.js";

const LIKELY = [0.5, 0.2, 0.05, 0.01, 0.001]; // at least so likely: tint 0, 1, … 4; below: 5
const NAMES = { " ": "space", "\n": "new line", "\t": "tab" };
const characterOf = new WeakMap();

/** 0, as expected, to 5, a great surprise. */
export const tintOf = (logprob) => LIKELY.filter((least) => Math.exp(logprob) < least).length;

/** The character, or a name for what cannot be seen. */
export const nameOf = (character) => NAMES[character] ?? character;

/** In nats per character. */
export const meanSurprise = (characters) =>
  -characters.reduce((sum, { logprob }) => sum + logprob, 0) / characters.length;

/** The likeliest characters, the one that was written among them, with their probabilities. */
export const alternatives = ({ character, logprob, top }) =>
  Object.entries({ ...top, [character]: logprob })
    .sort(([, one], [, other]) => other - one)
    .map(([each, value]) => [each, Math.exp(value)]);

/** Adds characters at the end of an element. */
export function appendCharacters(host, characters) {
  host.append(...characters.map((each) => {
    const span = make(`span.tint.tint-${tintOf(each.logprob)}`, each.character);
    characterOf.set(span, each);
    return span;
  }));
}

/** Reports which character in `host` is selected: by mouse, touch, or with the arrow keys. */
export function watchCharacters(host, tell) {
  let current = null;
  function lookAt(span) {
    if (!characterOf.has(span)) return;
    current?.classList.remove("current");
    current = span;
    span.classList.add("current");
    tell(characterOf.get(span));
  }
  host.onpointerover = host.onclick = ({ target }) => lookAt(target);
  watchArrows(host, ([right, down]) => lookAt(!current?.isConnected ? host.querySelector(".tint")
    : right + down > 0 ? current.nextSibling : current.previousSibling));
}
