/** Image files ↔ pixels, in the browser: what it decodes, laid on white, upright; PNGs out. */

import { crc32 } from "../zip.js";
import { ImageTooLarge, InvalidImage, UnsupportedImage } from "./errors.js";
import { planeOf } from "./filters.js";

const MOST_PIXELS = 25_000_000;
const FORMATS = [[0x89, 0x50, 0x4E, 0x47], [0xFF, 0xD8, 0xFF], [0x47, 0x49, 0x46, 0x38], [0x42, 0x4D], [0x52, 0x49, 0x46, 0x46]];
const OPAQUE_ENOUGH = 128; // alpha from which a pixel's colour counts when the background is chosen
const LIGHT = 128; // luminance of a light stroke
const MEAN_LIGHT = 170; // mean luminance of light strokes
const DARK_SHARE = 0.005; // of the visible pixels that may be dark among light strokes
const PNG = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A];

/** A file, or a data URI of one → { width, height, channels: 3, data }. */
export async function decodeImage(source) {
  const blob = typeof source === "string" ? blobOf(source) : source;
  const beginning = new Uint8Array(await blob.slice(0, 4).arrayBuffer());
  if (!FORMATS.some((format) => format.every((byte, index) => beginning[index] === byte))) {
    throw new UnsupportedImage("an image must be a PNG, JPEG, WebP, GIF or BMP, got another file");
  }
  const bitmap = await createImageBitmap(blob, { premultiplyAlpha: "none" }).catch(() => null);
  if (!bitmap) throw new InvalidImage("the image is truncated or corrupt: its pixels cannot be decoded");
  const { width, height } = bitmap;
  if (width * height > MOST_PIXELS) throw new ImageTooLarge(`an image must have at most ${MOST_PIXELS.toLocaleString("en")} pixels, got ${width} × ${height}`);
  const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return onGround(context.getImageData(0, 0, width, height));
}

function blobOf(address) {
  const [, encoded] = /^data:[^,]*;base64,(.*)$/s.exec(address) ?? [];
  if (!encoded) throw new UnsupportedImage("an image must be a file or its data URI, got another text");
  return new Blob([Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))]);
}

/** RGBA → RGB on white; light strokes on a transparent ground: on black, as white would hide them. */
export function onGround({ width, height, data }) {
  const mixed = new Uint8Array(width * height * 3);
  if (isOpaque(data)) { // most images: nothing to mix
    for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
      mixed[to] = data[from];
      mixed[to + 1] = data[from + 1];
      mixed[to + 2] = data[from + 2];
    }
    return { width, height, channels: 3, data: mixed };
  }
  const ground = isLightOnClear(width, height, data) ? 0 : 255;
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const alpha = data[4 * pixel + 3];
    for (let channel = 0; channel < 3; channel += 1) {
      mixed[3 * pixel + channel] = Math.round((data[4 * pixel + channel] * alpha + ground * (255 - alpha)) / 255);
    }
  }
  return { width, height, channels: 3, data: mixed };
}

function isOpaque(data) {
  for (let index = 3; index < data.length; index += 4) if (data[index] !== 255) return false;
  return true;
}

function isLightOnClear(width, height, data) {
  let [clear, edge, seen, sum, dark] = [0, 0, 0, 0, 0];
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const [red, green, blue, alpha] = data.subarray(4 * pixel, 4 * pixel + 4);
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const sides = (x === 0) + (x === width - 1) + (y === 0) + (y === height - 1);
    edge += sides;
    if (!alpha) clear += sides;
    if (alpha < OPAQUE_ENOUGH) continue;
    const grey = luminance(red, green, blue);
    seen += 1;
    sum += grey;
    if (grey < LIGHT) dark += 1;
  }
  return 2 * clear >= edge && seen > 0 && sum / seen >= MEAN_LIGHT && dark <= DARK_SHARE * seen;
}

/** ITU-R BT.601 in the service's fixed point. */
const luminance = (red, green, blue) => (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;

/** Pixels → a plane of their luminance. */
export function toGrey({ width, height, channels, data }) {
  if (channels === 1) return { width, height, data };
  const grey = planeOf(width, height);
  for (let pixel = 0, i = 0; pixel < grey.data.length; pixel += 1, i += 3) grey.data[pixel] = luminance(data[i], data[i + 1], data[i + 2]);
  return grey;
}

/** Images in a grid, nearly square, `gap` black pixels apart: planes of the same size → a plane. */
export function tiled(planes, { gap = 1, columns = Math.ceil(Math.sqrt(planes.length)) } = {}) {
  const [{ width, height }] = planes;
  const across = Math.min(planes.length, columns);
  const down = Math.ceil(planes.length / across);
  const grid = planeOf(across * (width + gap) - gap, down * (height + gap) - gap);
  planes.forEach(({ data }, index) => {
    const [left, top] = [index % across * (width + gap), Math.floor(index / across) * (height + gap)];
    for (let y = 0; y < height; y += 1) grid.data.set(data.subarray(y * width, (y + 1) * width), (top + y) * grid.width + left);
  });
  return grid;
}

/** Rows of images of one channel, [N, H, W] → planes. */
export const planesOf = (data, width, height) => Array.from({ length: data.length / (width * height) }, (_, index) =>
  ({ width, height, data: data.subarray(index * width * height, (index + 1) * width * height) }));

/** Bytes of 1 or 3 channels, row by row → a PNG. */
export async function encodePng({ width, height, channels = 1, data }) {
  const row = width * channels;
  const rows = new Uint8Array((row + 1) * height); // column 0: no filter
  for (let y = 0; y < height; y += 1) rows.set(data.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")));
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, 8);
  header.setUint8(9, channels === 3 ? 2 : 0);
  return new Blob([Uint8Array.from(PNG), ...chunk("IHDR", new Uint8Array(header.buffer)),
    ...chunk("IDAT", new Uint8Array(await packed.arrayBuffer())), ...chunk("IEND", new Uint8Array())], { type: "image/png" });
}

function chunk(name, content) {
  const named = new Uint8Array([...new TextEncoder().encode(name), ...content]);
  const numbers = new DataView(new ArrayBuffer(8));
  numbers.setUint32(0, content.length);
  numbers.setUint32(4, crc32(named));
  return [new Uint8Array(numbers.buffer, 0, 4), named, new Uint8Array(numbers.buffer, 4, 4)];
}

/** The same as a data URI. */
export async function dataUri(pixels) {
  const bytes = new Uint8Array(await (await encodePng(pixels)).arrayBuffer());
  return `data:image/png;base64,${base64(bytes)}`;
}

export function base64(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 4096) text += String.fromCharCode(...bytes.subarray(start, start + 4096));
  return btoa(text);
}
