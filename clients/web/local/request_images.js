/** The images of a request, and the answer's images. */

import { SIDE } from "./digit.js";
import { InvalidImage, InvalidValue } from "./errors.js";
import { dataUri, decodeImage, planesOf, toGrey } from "./images.js";

const MOST_IMAGES = 64;

/** The images of a request as the page sends them: a file, data URIs in JSON, or grey values; decoded. */
export async function imagesOf(call) {
  if (call.json?.instances) return call.json.instances.map(pixelsOfRows);
  const sources = call.file ? [call.file] : call.json?.images ?? [call.json?.image];
  if (!sources[0] || sources.length > MOST_IMAGES) throw new InvalidValue(`images must be 1 to ${MOST_IMAGES} files or data URIs, got ${sources[0] ? sources.length : "none"}`);
  return call.timed("decode", () => Promise.all(sources.map(decodeImage)));
}

/** Rows of pixels: grey values, or lists of three. */
function pixelsOfRows(rows) {
  const channels = rows[0][0].length ?? 1;
  return { width: rows[0].length, height: rows.length, channels, data: Uint8Array.from(rows.flat(2)) };
}

/** The same, grey, in the form that `prepare` brings each into: { prepared, inputs } for a network. */
export async function preparedImages(call, prepare) {
  const images = await imagesOf(call);
  const form = call.query.get("normalize") === "off" ? asItIs : prepare;
  const prepared = await call.timed("decode", async () => images.map((image) => form(toGrey(image))));
  return { prepared, inputs: { images: stacked(prepared.map(({ image }) => image)) } };
}

function asItIs(image) {
  if (image.width === SIDE && image.height === SIDE) return { image, steps: [] };
  throw new InvalidImage(`with normalize=off an image must be ${SIDE} × ${SIDE} pixels, got ${image.width} × ${image.height}`);
}

/** Planes of one size → a network's input of bytes, [N, H, W, 1]. */
export function stacked(planes) {
  const [{ width, height }] = planes;
  const data = new Uint8Array(planes.length * width * height);
  planes.forEach((plane, index) => data.set(plane.data, index * width * height));
  return { data, shape: [planes.length, height, width, 1] };
}

/** The image that a network saw, and what was done to the caller's; with `return=input`. */
export async function shownInput(call, { image, steps }) {
  return call.query.get("return") === "input" ? { input: { image: await dataUri(image), steps } } : {};
}

/** A network's images, [N, H, W, 1] → data URIs. */
export const imageUris = (call, { data, shape: [, height, width] }) =>
  call.timed("encode", () => Promise.all(planesOf(data, width, height).map(dataUri)));

/** A float array [N, size] → N lists. */
export const rowsOf = ({ data, shape: [, size = 1] }) =>
  Array.from({ length: data.length / size }, (_, index) => Array.from(data.subarray(index * size, (index + 1) * size)));

/** Vectors of one length → a network's input, [N, size]. */
export const floats = (rows) => ({ data: Float32Array.from(rows.flatMap((row) => Array.from(row))), shape: [rows.length, rows[0].length] });

/** One number for each row, [N]. */
export const column = (values, Kind = Float32Array) => ({ data: Kind.from(values), shape: [values.length] });
