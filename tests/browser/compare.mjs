/**
 * The graphs of a site, run by onnxruntime-web in Node, against the answers of a running service: the same pixels to both.
 *
 *   node compare.mjs PUBLIC http://127.0.0.1:8000 digits t10k-images-idx3-ubyte 28 28 1
 *   node compare.mjs PUBLIC http://127.0.0.1:8000 labels crops.raw 256 256 3
 *
 * The last three: height, width and channels of the images in the file, bytes one after the other; what comes before
 * the last whole image is skipped.
 */

import { readFile } from "node:fs/promises";
import path from "node:path";
import * as ort from "onnxruntime-web/wasm";

import { createGraphs } from "../../clients/web/local/graphs.js";
import { createLocalFetch } from "../../clients/web/local/service.js";

const KINDS = {
  digits: { route: "v1/digits/classify?normalize=off", batch: 50, scores: ({ predictions }) => predictions.map(({ probabilities }) => probabilities) },
  labels: { route: "v1/images/label?top=1000", batch: 2, scores: ({ predictions }) => predictions.map((row) =>
    [...row].sort((one, other) => (one.class_name < other.class_name ? -1 : 1)).map(({ score }) => score)) },
};

const [folder, base, kind, file, ...size] = process.argv.slice(2);
const [height, width, channels] = size.map(Number);
const { route, batch, scores } = KINDS[kind];
ort.env.wasm.numThreads = 1;
const graphs = createGraphs({ ort: async () => ort, file: async (name) => new Response(await readFile(path.join(folder, name))) });
const local = createLocalFetch({ graphs });

const bytes = await readFile(file);
const length = height * width * channels;
const count = Math.floor(bytes.length / length);
const skipped = bytes.length - count * length;

function rowsOf(index) {
  const start = skipped + index * length;
  return Array.from({ length: height }, (_, y) => Array.from({ length: width }, (__, x) => {
    const pixel = Array.from(bytes.subarray(start + (y * width + x) * channels, start + (y * width + x + 1) * channels));
    return channels === 1 ? pixel[0] : pixel;
  }));
}

const best = (row) => row.indexOf(Math.max(...row));
let [worst, changed, spent] = [0, 0, 0];
for (let first = 0; first < count; first += batch) {
  const body = JSON.stringify({ instances: Array.from({ length: Math.min(batch, count - first) }, (_, index) => rowsOf(first + index)) });
  const request = { method: "POST", body, headers: { "Content-Type": "application/json" } };
  const answered = await fetch(`${base}/${route}`, request);
  if (!answered.ok) throw new Error(await answered.text());
  const began = performance.now();
  const found = await local(route, request);
  spent += performance.now() - began;
  const [wanted, given] = [scores(await answered.json()), scores(await found.json())];
  wanted.forEach((row, index) => {
    row.forEach((value, place) => { worst = Math.max(worst, Math.abs(value - given[index][place])); });
    changed += best(row) !== best(given[index]);
  });
}
console.log(`${count} images of ${kind}: worst difference ${worst.toExponential(1)}, ${changed} changed classes, ${(spent / count).toFixed(1)} ms each here`);
