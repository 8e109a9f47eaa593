import assert from "node:assert/strict";
import test from "node:test";

import { likeliest } from "../../../clients/web/next_letter.js";

const choice = (token, probability, top = {}) => ({ logprobs: { tokens: [token], token_logprobs: [Math.log(probability)], top_logprobs: [top] } });
const letters = "abcdefghijkl";
const drawn = [...letters].map((letter, index) => choice(letter, 0.5 ** (index + 1)));

test("the ten likeliest of all letters that were drawn or named, likeliest first", () => {
  const rows = likeliest([...drawn, ...drawn, choice("c", 0.125, { z: Math.log(0.6) })], 1);
  assert.equal(rows.length, 10);
  assert.deepEqual(rows.slice(0, 3).map(([letter]) => letter), ["z", "a", "b"]);
});

test("probabilities are those at the diversity that is set", () => {
  const at = (diversity) => likeliest([choice("a", 0.8), choice("b", 0.2)], diversity).map(([, share]) => Number(share.toFixed(3)));
  assert.deepEqual(at(1), [0.8, 0.2]);
  assert.deepEqual(at(0.5), [0.941, 0.059], "0.64 against 0.04");
  assert.deepEqual(at(0), [1, 0], "always the likeliest");
});
