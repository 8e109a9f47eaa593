import assert from "node:assert/strict";
import test from "node:test";

import { measuresOf, pathOf } from "../../../clients/web/chart.js";

test("a curve goes from left to right, its highest value at the top", () => {
  assert.equal(pathOf([0, 1, 0.5], [0, 1]), "M0.0 120.0L160.0 0.0L320.0 60.0");
});

test("a level curve is drawn all the same", () => {
  assert.equal(pathOf([2, 2], [2, 2]), "M0.0 120.0L320.0 120.0");
});

test("what was learned and what was kept apart share an image, whatever a job calls them", () => {
  const digits = { loss: [2, 1], val_loss: [3, 2], accuracy: [0.5, 0.9], val_accuracy: [0.4, 0.8] };
  const text = {
    train_nats: [2, 1], validation_nats: [3, 2], gradient_norm: [1, 2], seconds: [60, 61],
    samples: [{ when: "step 10" }, { when: "step 30" }], products: "bfloat16",
  };

  assert.deepEqual(measuresOf(digits).loss, { train: [2, 1], validation: [3, 2] });
  assert.deepEqual(measuresOf(text).nats, { train: [2, 1], validation: [3, 2] });
});

test("every measure that is numbers has an image, alone where it was taken of one", () => {
  const gan = { d_loss: [0.9, 1.2], g_loss: [1.9, 0.8], accuracy_real: [0.8, 0.7], encoder_loss: [3, 2, 1], val_only: [1, 2] };

  assert.deepEqual(measuresOf(gan), {
    d_loss: { alone: [0.9, 1.2] }, g_loss: { alone: [1.9, 0.8] }, accuracy_real: { alone: [0.8, 0.7] },
    encoder_loss: { alone: [3, 2, 1] }, only: { alone: [1, 2] },
  });
});

test("words, images and gaps are no curve", () => {
  assert.deepEqual(measuresOf({ samples: [{ when: "step 10" }, {}], products: "bfloat16", shapes: { x: 1 }, broken: [1, null] }), {});
});

test("one epoch is no curve", () => {
  assert.deepEqual(measuresOf({ loss: [1], val_loss: [2] }), {});
});
