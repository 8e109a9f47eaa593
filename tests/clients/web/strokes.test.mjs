import assert from "node:assert/strict";
import test from "node:test";

import { DIGITS } from "../../../clients/web/examples.js";
import { formatStrokes, parseStrokes } from "../../../clients/web/strokes.js";

test("strokes survive an address, a thousandth aside", () => {
  for (const { strokes } of DIGITS) {
    const back = parseStrokes(formatStrokes(strokes));
    assert.equal(back.length, strokes.length);
    for (const [index, stroke] of back.entries()) {
      assert.ok(Math.hypot(stroke[0][0] - strokes[index][0][0], stroke[0][1] - strokes[index][0][1]) < 0.001);
      assert.ok(Math.hypot(stroke.at(-1)[0] - strokes[index].at(-1)[0], stroke.at(-1)[1] - strokes[index].at(-1)[1]) < 0.001);
    }
  }
});

test("an address of a drawing stays short", () => {
  const circle = Array.from({ length: 2000 }, (_, index) => [0.5 + 0.3 * Math.cos(index / 300), 0.5 + 0.3 * Math.sin(index / 300)]);

  assert.ok(formatStrokes([circle]).length < 800);
});

test("what is no drawing gives no strokes", () => {
  for (const text of ["", "abc", "~", "abcd~", "ABCD", "ab-d", "zzzzz"]) assert.deepEqual(parseStrokes(text), [], text);
});
