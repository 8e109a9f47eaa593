/** The page's preprocessing against the service's: the same images, the same results (see tests/service/preprocessing/make_vectors.py). */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { inflateSync } from "node:zlib";

import { fitDigit, normalizeClothing, normalizeDigit } from "../../../clients/web/local/digit.js";
import { InvalidImage } from "../../../clients/web/local/errors.js";
import { plane } from "../../../clients/web/local/latents.js";
import { fitPhoto } from "../../../clients/web/local/photo.js";
import { normals, uniforms } from "../../../clients/web/local/random_streams.js";

const FILE = new URL("../../fixtures/preprocessing.json", import.meta.url);
const { drawings, photos, random } = JSON.parse(await readFile(FILE, "utf8"));
const FORMS = { digit: normalizeDigit, fitted: fitDigit, garment: normalizeClothing };
const MOST = 1; // grey levels: sums of 32-bit numbers are rounded in another order

const unpacked = (text) => new Uint8Array(inflateSync(Buffer.from(text, "base64")));
const planeOf = ({ width, height, image }) => ({ width, height, data: unpacked(image) });

function check(make, wanted) {
  let made;
  try {
    made = make();
  } catch (error) {
    assert.ok(error instanceof InvalidImage, error.stack);
    return assert.deepEqual({ error: error.message }, wanted);
  }
  assert.equal(wanted.error, undefined);
  assert.deepEqual(made.steps, wanted.steps);
  const data = made.data ?? made.image.data;
  if (wanted.sha256) return assert.equal(createHash("sha256").update(data).digest("hex"), wanted.sha256);
  const expected = unpacked(wanted.image);
  assert.equal(data.length, expected.length);
  const worst = Math.max(...data.map((value, index) => Math.abs(value - expected[index])));
  return assert.ok(worst <= MOST, `differs by up to ${worst} grey levels`);
}

for (const [form, make] of Object.entries(FORMS)) {
  for (const drawing of drawings) {
    test(`${form}: ${drawing.name}`, () => check(() => make(planeOf(drawing)), drawing[form]));
  }
}

for (const photo of photos) {
  test(`photo: ${photo.name}`, () => check(() => fitPhoto({ ...planeOf(photo), channels: photo.channels }, photo.input), photo.photo));
}

test("uniform numbers are those of the service", () => {
  for (const { arguments: given, values } of random.uniforms) assert.deepEqual([...uniforms(...given)], values);
});

test("normal numbers and the map's places are those of the service, to the seventh digit", () => {
  for (const [make, { arguments: given, values }] of [[normals, random.normals], [plane, random.plane]]) {
    const found = make(...given);
    assert.equal(found.length, values.length);
    found.forEach((vector, row) => [...vector].forEach((value, index) => assert.ok(Math.abs(value - values[row][index]) < 3e-7)));
  }
});
