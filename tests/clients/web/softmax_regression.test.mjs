import assert from "node:assert/strict";
import test from "node:test";

import { crossValidate, foldsOf, probabilitiesOf, train } from "../../../clients/web/softmax_regression.js";
import { formatHead, parseHead } from "../../../clients/web/teach.js";
import { crc32, zipOf } from "../../../clients/web/zip.js";

const X = [[0, 1], [1, 0], [3, 4], [4, 3], [0, 5], [1, 6]];
const LABELS = [0, 0, 1, 1, 2, 2];
// scikit-learn: LogisticRegression(tol=1e-10, max_iter=10000).fit(X, LABELS).predict_proba([[2, 2]])
const EXPECTED = [0.458919, 0.45158, 0.089501];

test("the probabilities are those of scikit-learn's logistic regression", () => {
  const found = probabilitiesOf(train(X, LABELS, 3), [2, 2]);

  found.forEach((value, index) => assert.ok(Math.abs(value - EXPECTED[index]) < 1e-3, `${found} ${EXPECTED}`));
});

test("each example is read by a model that never saw it", () => {
  const vectors = [...X, [0, 0.5]];
  const { read, accuracy, folds } = crossValidate(vectors, [...LABELS, 1], 3);

  assert.equal(folds, 7);
  assert.notEqual(read[6], 1, "the odd one out cannot be read right");
  assert.equal(accuracy, read.filter((value, index) => value === [...LABELS, 1][index]).length / 7);
});

test("every fold has some of every class", () => {
  const labels = Array.from({ length: 70 }, (_, index) => index % 5);
  const folds = foldsOf(labels, 5);

  for (let fold = 0; fold < 5; fold += 1) assert.equal(new Set(labels.filter((_, index) => folds[index] === fold)).size, 5);
});

test("a head is read back as it was saved", () => {
  const head = { kernel: [[0.5, -1], [2, 0.25], [0, 3]], bias: [0.1, -0.1] };

  assert.deepEqual(parseHead(JSON.parse(JSON.stringify(formatHead(head, ["cat", "dog"], { images: 4 })))), { ...head, labels: ["cat", "dog"] });
});

test("a zip holds its files with their sums", async () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xCBF43926);
  const bytes = new Uint8Array(await zipOf([{ name: "cat/1.png", bytes: new Uint8Array([1, 2, 3]) }]).arrayBuffer());

  assert.deepEqual([...bytes.subarray(0, 4)], [0x50, 0x4B, 3, 4]);
  assert.ok(Buffer.from(bytes).includes("cat/1.png"));
  assert.deepEqual([...bytes.subarray(bytes.length - 22, bytes.length - 18)], [0x50, 0x4B, 5, 6]);
});
