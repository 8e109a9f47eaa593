/** Places on the map and latent vectors name each other. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { latentAt, placeOf } from "../../../clients/web/latent_map.js";
import { quantile, shareBelow } from "../../../clients/web/normal.js";

test("the normal distribution has its known shares", () => {
  for (const [z, share] of [[0, 0.5], [1, 0.841345], [-1.959964, 0.025], [3, 0.998650]]) {
    assert.ok(Math.abs(shareBelow(z) - share) < 1e-6, `${z}: ${shareBelow(z)}`);
    assert.ok(Math.abs(quantile(share) - z) < 1e-3, `${share}: ${quantile(share)}`);
  }
});

test("the centre of the first image is the quantile of 2 %, that of the last of 98 %", () => {
  const [first, last] = latentAt([0.5 / 20, 19.5 / 20], 20);
  assert.ok(Math.abs(first + 2.0537) < 1e-3);
  assert.ok(Math.abs(last - 2.0537) < 1e-3);
});

test("a z that is looked up on the map is found there again", () => {
  for (const z of [[0, 0], [1.3, -0.4], [-1.9, 2]]) {
    latentAt(placeOf(z, 20), 20).forEach((value, axis) => assert.ok(Math.abs(value - z[axis]) < 1e-3));
  }
});

test("what lies beyond the map is shown at its edge", () => {
  assert.deepEqual(placeOf([50, -50], 20).map((share) => Math.round(share * 40) / 40), [1, 0]);
});
