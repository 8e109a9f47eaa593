import assert from "node:assert/strict";
import test from "node:test";

import { alternatives, meanSurprise, nameOf, tintOf } from "../../../clients/web/surprisal_heatmap.js";

test("the less likely a character was, the stronger its tint", () => {
  const tints = [1, 0.5, 0.49, 0.2, 0.05, 0.01, 0.001, 0.0009].map((probability) => tintOf(Math.log(probability)));

  assert.deepEqual(tints, [0, 0, 1, 1, 2, 3, 4, 5]);
});

test("the mean surprise of nothing is no number", () => {
  assert.equal(meanSurprise([{ logprob: -1 }, { logprob: -2 }]), 1.5);
  assert.ok(Number.isNaN(meanSurprise([])));
});

test("the character that came is among its alternatives, likeliest first", () => {
  const rows = alternatives({ character: "z", logprob: Math.log(0.01), top: { b: Math.log(0.2), a: Math.log(0.7) } });

  assert.deepEqual(rows.map(([character, share]) => [character, share.toFixed(2)]), [["a", "0.70"], ["b", "0.20"], ["z", "0.01"]]);
  assert.equal(alternatives({ character: "a", logprob: -1, top: { a: -1 } }).length, 1);
});

test("what cannot be seen has a name", () => {
  assert.deepEqual([" ", "\n", "x"].map(nameOf), ["space", "new line", "x"]);
});
