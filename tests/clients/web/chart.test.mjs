import assert from "node:assert/strict";
import test from "node:test";

import { pairsOf, pathOf } from "../../../clients/web/chart.js";

test("a curve goes from left to right, its highest value at the top", () => {
  assert.equal(pathOf([0, 1, 0.5], [0, 1]), "M0.0 120.0L160.0 0.0L320.0 60.0");
});

test("a level curve is drawn all the same", () => {
  assert.equal(pathOf([2, 2], [2, 2]), "M0.0 120.0L320.0 120.0");
});

test("what was learned and what was kept apart share a picture, whatever a job calls them", () => {
  const digits = { loss: [2, 1], val_loss: [3, 2], accuracy: [0.5, 0.9], val_accuracy: [0.4, 0.8] };
  const text = {
    train_nats: [2, 1], validation_nats: [3, 2], gradient_norm: [1, 2], seconds: [60, 61],
    samples: [{ when: "step 10" }, { when: "step 30" }], products: "bfloat16",
  };

  assert.deepEqual(pairsOf(digits).loss, { train: [2, 1], validation: [3, 2] });
  assert.deepEqual(pairsOf(text), { nats: { train: [2, 1], validation: [3, 2] } });
});

test("one epoch is no curve", () => {
  assert.deepEqual(pairsOf({ loss: [1], val_loss: [2] }), {});
});
