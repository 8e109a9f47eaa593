/** The line in which a room says what went wrong, and what to do. */

import { VitrineError } from "./api.js";
import { sentence, waitingSentence } from "./words.js";

export function createNote(note) {
  function say(text) {
    note.textContent = text;
    note.hidden = text === "";
  }
  return {
    say,
    get text() { return note.textContent; },
    wait: (seconds, error) => say(waitingSentence(seconds, error)),
    fail(error) {
      const isKnown = error instanceof VitrineError;
      if (!isKnown) console.error(error);
      say(isKnown ? sentence(error.message) : "This page made a mistake. Please reload it.");
    },
  };
}
