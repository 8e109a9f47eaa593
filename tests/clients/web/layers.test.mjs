import assert from "node:assert/strict";
import test from "node:test";

import { kindOf, tileAt, tileBox } from "../../../clients/web/layers.js";

test("a tile lies where the service draws it: nearly square grids, a pixel between", () => {
  assert.deepEqual(tileBox(0, 20, 24, 24), { left: 0, top: 0, width: 24, height: 24 });
  assert.deepEqual(tileBox(7, 20, 24, 24), { left: 50, top: 25, width: 24, height: 24 });
  assert.deepEqual(tileBox(2, 3, 4, 6), { left: 0, top: 5, width: 6, height: 4 });
});

test("a pixel of the grid belongs to a map and a place of it", () => {
  assert.deepEqual(tileAt([24, 24, 20], 53, 26), { index: 7, place: [1, 3] });
  assert.deepEqual(tileAt([24, 24, 20], 24, 24), { index: 0, place: [23, 23] }, "the pixel between belongs to the one before");
  assert.equal(tileAt([24, 24, 20], 30, 110), null, "the last row is not full");
});

test("every kind of layer has its sentence", () => {
  for (const name of ["conv1", "pool2", "dense1", "logits", "softmax", "input"]) assert.match(kindOf(name), /^[A-Z].*[.]$/, name);
  assert.equal(kindOf("unheard-of"), "");
});
