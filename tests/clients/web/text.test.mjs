import assert from "node:assert/strict";
import test from "node:test";

import { figuresInWords, randomLetters } from "../../../clients/web/text.js";

test("a random beginning has as many letters as the course's", () => {
  let turn = 0;

  assert.equal(randomLetters("abc", () => (turn++ % 4) / 4), "aabc".repeat(10));
});

test("a card's figures become sentences, as far as it has them", () => {
  const metrics = {
    validation_nats_per_character: 1.48123,
    kneser_ney_7_gram_nats_per_character: 1.5225,
    validation_accuracy: { value: 0.5612 },
    accuracy_of_always_the_commonest: { value: 0.1523 },
  };

  assert.equal(figuresInWords({ metrics }), "On unseen text its surprisal is 1.481 nats per character (a 7-gram model: 1.522). "
    + "It predicts 56.1 % of the characters; always predicting the commonest is right for 15.2 %.");
  assert.equal(figuresInWords({ metrics: { validation_nats_per_character: 2 } }), "On unseen text its surprisal is 2.000 nats per character.");
  assert.equal(figuresInWords(null), "");
});
