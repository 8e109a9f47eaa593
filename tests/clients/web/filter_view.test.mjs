import assert from "node:assert/strict";
import test from "node:test";

import { addends, patchAt } from "../../../clients/web/filter_view.js";

const inputs = [[[1, 10], [2, 20]], [[3, 30], [4, 40]]]; // [2][2][2]
const filter = { inputs, size: [2, 2], strides: [1, 1], padding: [1, 1], relu: true, bias: 0.5,
  kernel: [[[0, 0], [0, 0]], [[0, 0], [1, -0.1]]] };

test("the patch of a value begins above and to the left by the padding; beyond the edge are zeros", () => {
  assert.deepEqual(patchAt(filter, [0, 0]), [[[0, 0], [0, 0]], [[0, 0], [1, 10]]]);
  assert.deepEqual(patchAt({ ...filter, strides: [2, 2], padding: [0, 0] }, [0, 0]), inputs);
});

test("a value is what each map below adds, and the bias, cut off below zero", () => {
  const { parts, sum, value } = addends(filter, [1, 1]);
  assert.deepEqual(parts, [4, -4]);
  assert.equal(sum, 0.5);
  assert.equal(value, 0.5);
  assert.equal(addends({ ...filter, bias: -1 }, [1, 1]).value, 0);
  assert.equal(addends({ ...filter, bias: -1, relu: false }, [1, 1]).value, -1);
});
