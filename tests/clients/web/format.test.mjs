import assert from "node:assert/strict";
import test from "node:test";

import { figure, milliseconds, percent, sentence, waitingSentence } from "../../../clients/web/format.js";

test("a probability is never rounded to certainty", () => {
  assert.deepEqual([1, 0.9996, 0.9994, 0.5, 0.0005, 0].map(percent),
    ["> 99.9 %", "> 99.9 %", "99.9 %", "50.0 %", "0.1 %", "< 0.1 %"]);
});

test("a duration has two digits that matter", () => {
  assert.deepEqual([0.05, 0.412, 1.26, 12.3, 456.7].map(milliseconds),
    ["0.05 ms", "0.41 ms", "1.3 ms", "12 ms", "457 ms"]);
});

test("a figure of a card is short, a count is whole, and an interval is kept", () => {
  assert.equal(figure({ value: 0.9956, interval_95: [0.994099, 0.996731], count: 10000 }), "99.56 % (99.41 to 99.67)");
  assert.deepEqual([1.48123456, 1314885, "bfloat16", [1, 2], null, undefined].map(figure), ["1.481", "1,314,885", "bfloat16", "", "", ""]);
  assert.deepEqual([0, 0.0012345, 0.00004, -7.93e-7].map(figure), ["0", "0.0012", "4.0e-5", "-7.9e-7"]);
});

test("a wait says why, and that nothing is lost", () => {
  assert.match(waitingSentence(2.2, { status: 429 }), /^Many people .* kept .* in 3 s\.$/);
  assert.match(waitingSentence(1, { status: 503 }), /getting ready/);
  assert.match(waitingSentence(1, { status: 503 }, "digits is loading, 2 of 11 models are ready"), /^digits is loading, 2 of 11/);
  assert.match(waitingSentence(1, {}), /^The service does not answer/);
});

test("a message becomes a sentence", () => {
  assert.equal(sentence("the image is blank: draw a digit"), "The image is blank: draw a digit.");
  assert.equal(sentence("Done."), "Done.");
});
